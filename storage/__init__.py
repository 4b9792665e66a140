"""The ground floor: the SQLite database. Imports nothing of monitor."""
