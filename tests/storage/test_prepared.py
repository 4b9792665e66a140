"""Statements of users, looked at before they are ever asked."""

import pytest

from storage.prepared import complaints


@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        pytest.param("SELECT title FROM signals_latest", None, id="a view"),
        pytest.param("SELECT title FROM signals_latest;", None, id="a semicolon at its end"),
        pytest.param("WITH a AS (SELECT 1 AS one) SELECT one FROM a", None, id="a WITH"),
        pytest.param("SELECT 1 WHERE 0", None, id="that it finds nothing is no mistake"),
        pytest.param("SELECT oops FROM signals_latest", "no such column: oops", id="an unknown column"),
        pytest.param("SELECT 1 FROM nowhere", "no such table: nowhere", id="an unknown table"),
        pytest.param("SELEC 1", "syntax error", id="a misspelling"),
        pytest.param("DELETE FROM items", "only reading is allowed", id="a change"),
        pytest.param("SELECT 1; SELECT 2", "one statement", id="two statements"),
    ],
)
def test_what_cannot_be_asked_is_said(sql: str, complaint: str | None) -> None:
    found = complaints({"rule": sql})
    assert list(found) == (["rule"] if complaint else [])
    assert complaint is None or complaint in found["rule"]


def test_each_statement_is_looked_at_by_itself() -> None:
    assert list(complaints({1: "SELECT 1", 2: "SELECT x", 3: "SELECT y"})) == [2, 3]


def test_without_statements_there_is_nothing_to_say() -> None:
    assert complaints({}) == {}
