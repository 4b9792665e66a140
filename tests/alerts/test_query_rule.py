"""The rule that asks the database: when it begins, ends and fails, and how rows become a message."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.occasion import Occasion
from monitor.alerts.rules.query import COLUMNS_SHOWN, ROWS_SHOWN, QueryRule, asked, findings
from storage.alert_records import Cell, Finding, QueryAnswer, ToldAlert
from tests.alerts.nasty import TITLES
from tests.alerts.sample import NOW

HOUR = timedelta(hours=1)
NOTHING = QueryAnswer(("title",))
BROKEN = QueryAnswer(error="SQLite says: no such column: foo")


def rule(**settings: Any) -> QueryRule:
    return QueryRule.model_validate({"rule": "query", "name": "loud", "sql": "SELECT title FROM items", **settings})


def answer(*rows: tuple[str | float | None, ...], columns: str = "title", total: int = 0) -> QueryAnswer:
    return QueryAnswer(tuple(columns.split()), rows, total or len(rows))


def found(
    given: QueryAnswer | None, told: dict[str, ToldAlert] | None = None, now: datetime = NOW, **settings: Any
) -> list[Finding]:
    answers = {"loud": given} if given else {"other": answer(("x",))}
    return findings(rule(**settings), Occasion(now=now, answers=answers, told=told or {}))


def as_told(*raised: Finding, at: datetime = NOW) -> dict[str, ToldAlert]:
    return {one.key: ToldAlert(one.key, one.rule, one.thread or one.key, one.phase, at) for one in raised}


SOME = answer(("One",), ("Two",))


@pytest.mark.parametrize(
    ("life", "alerts"),
    [
        pytest.param([NOTHING, None, NOTHING], [], id="it never finds anything"),
        pytest.param([SOME, SOME, SOME], ["start 0"], id="it finds something, and goes on to"),
        pytest.param([SOME, None, SOME], ["start 0"], id="it is not asked on every occasion"),
        pytest.param([SOME, answer(("Three",))], ["start 0"], id="it finds other rows than before"),
        pytest.param([SOME, NOTHING, NOTHING], ["start 0", "end 1"], id="it is no longer true"),
        pytest.param([SOME, NOTHING, SOME], ["start 0", "end 1", "start 2"], id="it becomes true again"),
        pytest.param([SOME, BROKEN, SOME], ["start 0", "once 1"], id="an error ends nothing"),
        pytest.param([BROKEN, NOTHING], ["once 0"], id="an error begins nothing"),
        pytest.param([BROKEN, BROKEN], ["once 0"], id="an error is told once a day"),
        pytest.param(
            [BROKEN, QueryAnswer(error="no such table: bar")], ["once 0", "once 1"], id="another error is told too"
        ),
    ],
)
def test_what_a_query_tells_in_its_life(life: list[QueryAnswer | None], alerts: list[str]) -> None:
    told: dict[str, ToldAlert] = {}
    seen: list[str] = []
    for hour, given in enumerate(life):
        new = [one for one in found(given, told, NOW + hour * HOUR) if one.key not in told]
        told |= as_told(*new, at=NOW + hour * HOUR)
        seen += [f"{one.phase} {hour}" for one in new]
    assert seen == alerts


def test_an_error_is_told_anew_on_the_next_day() -> None:
    keys = {found(BROKEN, now=NOW + hours * HOUR)[0].key for hours in (0, 9, 10, 33)}
    assert len(keys) == 2  # NOW is 14:02


def test_the_start() -> None:
    (one,) = found(SOME, severity="critical", send=["desk"])
    assert one.key == one.thread == "loud:true:2026-11-23T14:02:00+00:00"
    assert (one.rule, one.kind, one.phase, one.severity, one.topic) == ("loud", "query", "start", "critical", "")
    assert (one.send, one.strength) == (("desk",), 2.0)
    assert one.headline == "loud: 2 rows, first: One"
    assert one.explanation == (
        "The query of this rule finds 2 rows; it has found some since Mon 14:02. It is asked every 15 minutes; that it "
        "finds none any more is told too."
    )


def test_what_is_told_while_it_lasts_says_since_when() -> None:
    told = as_told(*found(SOME))
    (one,) = found(answer(("Three",)), told, NOW + 5 * HOUR)
    assert one.key in told
    assert one.explanation.startswith("The query of this rule finds 1 row; it has found some since Mon 14:02.")


def test_the_end() -> None:
    (start,) = found(SOME)
    (one,) = found(NOTHING, as_told(start), NOW + 5 * HOUR, severity="critical")
    assert (one.key, one.thread, one.phase, one.severity) == (f"{start.key}:end", start.key, "end", "info")
    assert one.headline == "loud: no longer true; it lasted 5 hours"
    assert one.explanation == "The query of this rule found something since Mon 14:02, and finds nothing any more."


def test_an_error() -> None:
    (one,) = found(BROKEN, severity="info")
    assert one.headline == "Alert rule 'loud' cannot be evaluated: SQLite says: no such column: foo"
    assert (one.severity, one.phase, one.thread) == ("warning", "once", "")
    assert one.key.startswith("loud:error:2026-11-23:")
    assert one.advice == "Correct sql: of the rule 'loud' in feeds.yaml; `monitor sql` runs a statement by hand."


@pytest.mark.parametrize(
    ("headline", "rows", "total", "says"),
    [
        pytest.param(None, (("One",),), 1, "loud: 1 row, first: One", id="the usual one"),
        pytest.param(None, ((None,), ("Two",)), 2, "loud: 2 rows", id="an empty first field"),
        pytest.param("{count} loud: {first}!", (("One",),), 1234, "1,234 loud: One!", id="filled in"),
        pytest.param("Twice {first} {first}", (("One",),), 1, "Twice One One", id="a field twice"),
        pytest.param("{{count}} is {count}", (("One",),), 3, "{count} is 3", id="braces that mean nothing"),
        pytest.param("{first}", (("{count} {first.x}",),), 1, "{count} {first.x}", id="a row that holds braces"),
        pytest.param("Loud", (("One",),), 1, "Loud", id="nothing to fill in"),
        pytest.param("{first}", ((4.25,),), 1, "4.25", id="a number"),
    ],
)
def test_the_headline(headline: str | None, rows: tuple[tuple[Any, ...], ...], total: int, says: str) -> None:
    assert found(answer(*rows, total=total), headline=headline)[0].headline == says


def test_rows_become_a_table() -> None:
    given = answer(
        ("One", "https://news.example/1", 7, 0.98349, "lab"),
        ("Two", None, None, 12.0, None),
        columns="title url stories probability feed",
        total=2,
    )
    (table,) = found(given)[0].tables
    assert table.columns == ("title", "stories", "probability", "feed")
    assert table.rows == (
        (Cell("One", "https://news.example/1"), Cell("7"), Cell("0.983"), Cell("lab")),
        (Cell("Two"), Cell(""), Cell("12.00"), Cell("")),
    )
    assert (table.numbers, table.left_out) == (("stories", "probability"), 0)


def test_a_table_is_cut_and_says_so() -> None:
    wide = " ".join(f"c{number}" for number in range(12))
    (table,) = found(answer(*[(1,) * 12] * 30, columns=wide, total=64))[0].tables
    assert len(table.rows) == ROWS_SHOWN
    assert {len(row) for row in table.rows} == {len(table.columns)} == {COLUMNS_SHOWN}
    assert table.left_out == 64 - ROWS_SHOWN


@pytest.mark.parametrize(
    ("columns", "row", "shown"),
    [
        pytest.param("url", ("https://a.example/",), [Cell("https://a.example/")], id="an address without a title"),
        pytest.param("url title", ("https://a.example/", "A"), [Cell("A", "https://a.example/")], id="any order"),
        pytest.param("title url", ("A", 5), [Cell("A")], id="an address that is none"),
        pytest.param("title title", ("A", "B"), [Cell("A"), Cell("B")], id="a column twice"),
        pytest.param("n", (10_000_000_000,), [Cell("10000000000")], id="a large number"),
        pytest.param("n", (1e300,), [Cell("1e+300")], id="a huge number"),
        pytest.param("n", (float("inf"),), [Cell("inf")], id="infinity"),
        pytest.param("n", (0.00001234,), [Cell("1.23e-05")], id="a tiny number"),
    ],
)
def test_the_cells(columns: str, row: tuple[Any, ...], shown: list[Cell]) -> None:
    assert list(found(answer(row, columns=columns))[0].tables[0].rows[0]) == shown


def test_items_are_the_evidence_each_once_and_beyond_what_is_shown() -> None:
    rows = [(number // 2, "x") for number in range(2, 62)]
    one = found(answer(*rows, (None, "x"), ("9", "x"), (1.5, "x"), columns="item_id title"))[0]
    assert one.evidence == tuple(range(1, 31))
    assert found(SOME)[0].evidence == ()


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES.keys())
def test_whatever_a_row_holds_stays_on_one_line(title: str) -> None:
    (one,) = found(answer((title, title), columns="title feed"), headline="{first}")
    cells = [cell.text for cell in one.tables[0].rows[0]]
    assert not [text for text in (one.headline, *cells) if "\n" in text or "\u202e" in text or len(text) > 200]
    (error,) = found(QueryAnswer(error=title or "x"))
    assert "\n" not in error.headline + error.explanation


@pytest.mark.parametrize(
    ("last", "every", "is_asked"),
    [
        pytest.param(None, "15m", True, id="never asked before"),
        pytest.param(timedelta(minutes=14), "15m", False, id="asked a little while ago"),
        pytest.param(timedelta(minutes=15), "15m", True, id="it is time"),
        pytest.param(timedelta(minutes=15), "1h", False, id="the user asks less often"),
        pytest.param(-2 * HOUR, "15m", True, id="the clock was set back"),
    ],
)
def test_it_is_asked(last: timedelta | None, every: str, is_asked: bool) -> None:
    assert asked(rule(every=every), None if last is None else NOW - last, NOW) is is_asked


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select 1 ;  ",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "-- loud; very loud\nSELECT 1 -- the end;",
        "/* ; */ SELECT ';', \"a;b\", [c;d], `e;f`, 'it''s; here' /* open ;",
    ],
)
def test_a_statement_that_reads_is_taken_as_it_is(sql: str) -> None:
    assert rule(sql=sql).sql == sql


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({"sql": ""}, "SELECT or WITH", id="nothing"),
        pytest.param({"sql": "DELETE FROM items"}, "SELECT or WITH", id="a statement that writes"),
        pytest.param({"sql": "selection"}, "SELECT or WITH", id="a word that begins so"),
        pytest.param({"sql": "-- SELECT 1"}, "SELECT or WITH", id="only a comment"),
        pytest.param({"sql": "SELECT 1; DELETE FROM items"}, "one statement", id="two statements"),
        pytest.param({"sql": "SELECT ''';'; DROP TABLE x"}, "one statement", id="two, after a quoted semicolon"),
        pytest.param({"every": "30s"}, "1 minute", id="asked too often"),
        pytest.param({"timeout": "2m"}, "60 seconds|1 minute", id="too long a time for an answer"),
        pytest.param({"headline": "{rows}"}, "only {count}", id="an unknown field"),
        pytest.param({"headline": "{first.__class__}"}, "only {count}", id="an attribute"),
        pytest.param({"headline": "{first[0]}"}, "only {count}", id="an index"),
        pytest.param({"headline": "{first!r}"}, "only {count}", id="a conversion"),
        pytest.param({"headline": "{count:>9999999}"}, "only {count}", id="a layout"),
        pytest.param({"headline": "{}"}, "only {count}", id="a field without a name"),
        pytest.param({"headline": "{count"}, "brace", id="half a brace"),
        pytest.param({"headline": ""}, "at least 1", id="an empty headline"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        rule(**settings)
