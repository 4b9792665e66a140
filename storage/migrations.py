"""Bring a database to the present schema: ordered steps, each in one transaction, under a file lock."""

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from filelock import FileLock
from sqlite_utils import Database, Migrations

from storage.connection import transaction
from storage.errors import DatabaseNewer

migrations = Migrations("monitor")


@migrations()
def m001_tables(db: Database) -> None:
    """Create the tables."""
    for statement in statements(files("storage").joinpath("schema/001_tables.sql").read_text()):
        db.execute(statement)


@migrations()
def m002_labels(db: Database) -> None:
    """Add reasons, labels, thresholds and learned heads."""
    for statement in statements(files("storage").joinpath("schema/002_labels.sql").read_text()):
        db.execute(statement)


@migrations()
def m003_stories(db: Database) -> None:
    """Add embeddings, merges, novelty, local days, exposure and looks; derive what old stories' tellings are."""
    for statement in statements(files("storage").joinpath("schema/003_stories.sql").read_text()):
        db.execute(statement)


@migrations()
def m004_polling(db: Database) -> None:
    """Add each feed's pace, state, hints and moves, hashes of its entries, closed domains and hubs."""
    for statement in statements(files("storage").joinpath("schema/004_polling.sql").read_text()):
        db.execute(statement)


@migrations()
def m005_alerts(db: Database) -> None:
    """Add threads, states, receipts and silences of alerts."""
    for statement in statements(files("storage").joinpath("schema/005_alerts.sql").read_text()):
        db.execute(statement)


def migrate(db: Database, path: Path) -> None:
    """Apply what is missing, then rebuild the views. Two processes may call this at once.

    Raises DatabaseNewer when the database knows a step that this program does not.
    """
    with FileLock(f"{path}.migrate.lock"):
        _refuse_newer(db, path)
        migrations.apply(db)
        _rebuild_views(db)


def _refuse_newer(db: Database, path: Path) -> None:
    if strangers := sorted(step.name for step in migrations.applied(db) if step.name not in globals()):
        raise DatabaseNewer(f"{path} was written by a newer monitor (it has {strangers[0]}); upgrade this program")


def _rebuild_views(db: Database) -> None:
    wanted = dict(view_sources())
    present = {row[0]: row[1] for row in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'")}
    if present == wanted:
        return
    with transaction(db):
        for name in present:
            db.execute(f'DROP VIEW "{name}"')
        for sql in wanted.values():
            db.execute(sql)


def view_sources() -> Iterator[tuple[str, str]]:
    """Each view's name and its CREATE VIEW statement, header comment inside so that `.schema` shows it."""
    for file in sorted(files("storage").joinpath("views").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            name = file.name.removesuffix(".sql")
            yield name, f"CREATE VIEW {name} AS\n{file.read_text().strip().removesuffix(';')}"


def statements(script: str) -> Iterator[str]:
    """Split a script into statements (a script run as a whole would commit the transaction it is in)."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement.strip()
            statement = ""
