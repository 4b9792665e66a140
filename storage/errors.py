"""What can go wrong with the database; sqlite3's own errors never leave this package.

::

    StorageError                the database cannot be used
    ├── DatabaseMissing         there is no database file yet: run the daemon once
    ├── DatabaseNewer           a newer version of the program wrote it: upgrade the program
    ├── DatabaseBusy            another process holds the write lock for too long: trying again helps
    ├── DatabaseDamaged         the file is not a database, or is corrupt: restore a backup
    └── QueryError              a user's SQL was refused, failed or took too long
"""


class StorageError(Exception):
    """The database cannot be used. ``retry`` tells whether trying again can help."""

    exit_code = 4
    retry = False


class DatabaseMissing(StorageError):
    """There is no database file yet."""


class DatabaseNewer(StorageError):
    """A newer version of the program wrote this database."""


class DatabaseBusy(StorageError):
    """Another process holds the write lock."""

    retry = True


class DatabaseDamaged(StorageError):
    """The file is not a database, or is corrupt."""


class QueryError(StorageError):
    """A user's SQL was refused, failed or took too long."""

    exit_code = 2
