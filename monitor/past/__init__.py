"""The past: archives taken in, and history replayed with what was known at each moment."""
