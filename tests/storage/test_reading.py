"""Questions to the database: read-only by SQLite's own hand, limited in time, and all canned ones run."""

import pytest

from storage import reading
from storage.errors import QueryError
from storage.migrations import view_sources
from storage.store import Store

REFUSED = {
    "a delete": "DELETE FROM items",
    "an insert": "INSERT INTO feeds (name) VALUES ('x')",
    "a new table": "CREATE TABLE t (x)",
    "another file": "ATTACH 'other.db' AS other",
    "a switch": "PRAGMA query_only = OFF",
    "a checkpoint": "PRAGMA wal_checkpoint",
    "an extension": "SELECT load_extension('x')",
    "a copy": "VACUUM INTO 'copy.db'",
    "a transaction": "BEGIN IMMEDIATE",
}


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses(store: Store, sql: str) -> None:
    with pytest.raises(QueryError, match=r"only reading|not authorized|SQLite says"):
        reading.ask(store.path, sql)


def test_it_answers_a_select_with_column_names(store: Store) -> None:
    answer = reading.ask(store.path, "SELECT 1 AS one, 'x' AS letter")
    assert answer == reading.Answer(("one", "letter"), [(1, "x")])


def test_a_schema_can_be_looked_at(store: Store) -> None:
    assert "title" in [row[1] for row in reading.ask(store.path, "PRAGMA table_info(items)").rows]


def test_an_endless_query_is_stopped(store: Store) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(QueryError, match=r"longer than 0\.2 seconds"):
        reading.ask(store.path, endless, seconds=0.2)


def test_a_mistake_is_told_in_sqlites_words(store: Store) -> None:
    with pytest.raises(QueryError, match="no such column: nonsense"):
        reading.ask(store.path, "SELECT nonsense FROM items")


def test_a_missing_parameter_is_told(store: Store) -> None:
    with pytest.raises(QueryError, match="parameter without a value"):
        reading.ask(store.path, "SELECT :x")


@pytest.mark.parametrize("name", reading.canned_queries())
def test_the_canned_query_runs_with_its_defaults(store: Store, name: str) -> None:
    canned = reading.canned_queries()[name]
    defaults = {parameter: default for parameter, (default, _) in canned.parameters.items()}
    assert reading.ask(store.path, canned.sql, defaults).columns
    assert canned.question.endswith("?")


@pytest.mark.parametrize("name", [name for name, _ in view_sources()])
def test_the_view_runs_and_tells_what_it_shows(store: Store, name: str) -> None:
    assert reading.ask(store.path, f"SELECT * FROM {name}").columns
    sql = reading.ask(store.path, "SELECT sql FROM sqlite_master WHERE name = :name", {"name": name}).rows[0][0]
    assert "\n-- " in sql


def test_a_reader_sees_what_the_writer_commits_meanwhile(store: Store) -> None:
    assert reading.ask(store.path, "SELECT count(*) FROM feeds").rows == [(0,)]
    store._db.execute("INSERT INTO feeds (name, url, every, added, next_poll) VALUES ('a', 'b', 1, '', '')")
    assert reading.ask(store.path, "SELECT count(*) FROM feeds").rows == [(1,)]
