"""The rule `query`: a SELECT over the database begins to find something, and finds nothing any more. Pure.

Who asks the database, read-only and within the rule's time, is monitor.occasions.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from string import Formatter
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from monitor.alerts.rules.occasion import Occasion, RuleSettings
from monitor.alerts.rules.threads import open_threads
from monitor.alerts.wording import counted, day_since, interval, one_line, span
from monitor.settings import Duration
from storage.alert_records import Cell, Finding, QueryAnswer, Table, ToldAlert

ROWS_SHOWN, COLUMNS_SHOWN = 10, 8
_HEADLINE, _CELL, _COLUMN, _FIRST = 150, 200, 40, 80
_FIELDS = ("count", "first")

# Whatever in a statement may hold a semicolon without ending it (sqlite.org/lang_comment.html, lang_keywords.html).
_ENCLOSED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|\Z)""", re.DOTALL | re.VERBOSE
)

Row = tuple[str | int | float | None, ...]


def _one_select(sql: str) -> str:
    bare = _ENCLOSED.sub(" ", sql).strip().removesuffix(";")
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE):
        raise ValueError("write a statement that begins with SELECT or WITH: a rule only reads")
    if ";" in bare:
        raise ValueError("write one statement; something follows the first semicolon")
    return sql


def _fillable(headline: str) -> str:
    try:
        parts = list(Formatter().parse(headline))
    except ValueError as error:
        raise ValueError(f"{error}; write {{{{ for a brace that means nothing") from None
    for _, field, layout, conversion in parts:
        if field is not None and (field not in _FIELDS or layout or conversion):
            raise ValueError(
                "only {count}, the number of rows, and {first}, the first field of the first, are filled in"
            )
    return headline


class QueryRule(RuleSettings):
    """Alert when a question to the database finds something: once, until it finds nothing any more."""

    rule: Literal["query"]
    sql: Annotated[str, AfterValidator(_one_select)] = Field(
        description="A SELECT over the views of docs/sql.md; the alert begins when it finds a row."
    )
    every: Duration = Field(timedelta(minutes=15), ge=timedelta(minutes=1), description="How often it is asked.")
    timeout: Duration = Field(
        timedelta(seconds=5),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=1),
        description="An answer that takes longer is given up, and told as an error.",
    )
    headline: Annotated[str, AfterValidator(_fillable)] | None = Field(
        None,
        min_length=1,
        max_length=_HEADLINE,
        description="What the alert says first: {count} is the number of rows, {first} the first field of the first.",
    )


def asked(settings: QueryRule, last: datetime | None, now: datetime) -> bool:
    """Tell whether it is time to ask; ``last`` is when it was asked last. A clock that was set back does not delay."""
    return last is None or not timedelta(0) <= now - last < settings.every


def findings(settings: QueryRule, occasion: Occasion) -> list[Finding]:
    """Return the start while the query finds rows, the end once it finds none, or why it cannot be asked.

    An error neither begins nor ends anything. Nothing when it was not asked on this occasion.
    """
    answer = occasion.answers.get(settings.name)
    if answer is None:
        return []
    if answer.error:
        return [_error(settings, answer.error, occasion)]
    begun = open_threads(occasion.told, settings.name)
    if answer.rows:
        return [_start(settings, answer, next(iter(begun.values()), None), occasion)]
    return [_end(settings, alert, occasion) for alert in begun.values()]


def _start(settings: QueryRule, answer: QueryAnswer, begun: ToldAlert | None, occasion: Occasion) -> Finding:
    since = begun.created if begun else occasion.now
    key = begun.thread if begun else f"{settings.name}:true:{_whole(occasion.now).isoformat()}"
    rows = counted(answer.total, "row", "rows")
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=key,
        severity=settings.severity,
        topic="",
        headline=_headline(settings, answer),
        explanation=(
            f"The query of this rule finds {rows}; it has found some since "
            f"{day_since(since, occasion.now, ZoneInfo(occasion.zone))}. It is asked every {interval(settings.every)}; "
            "that it finds none any more is told too."
        ),
        send=settings.send,
        tables=(_table(answer),),
        evidence=_evidence(answer),
        zone=occasion.zone,
        thread=key,
        phase="start",
        strength=float(answer.total),
    )


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _headline(settings: QueryRule, answer: QueryAnswer) -> str:
    first = one_line(_text(answer.rows[0][0]), _FIRST) if answer.rows[0] else ""
    if settings.headline:
        return one_line(_filled(settings.headline, {"count": f"{answer.total:,}", "first": first}), _HEADLINE)
    rows = f"{settings.name}: {counted(answer.total, 'row', 'rows')}"
    return one_line(f"{rows}, first: {first}" if first else rows, _HEADLINE)


def _filled(headline: str, values: dict[str, str]) -> str:
    return "".join(literal + (values[field] if field else "") for literal, field, _, _ in Formatter().parse(headline))


def _end(settings: QueryRule, begun: ToldAlert, occasion: Occasion) -> Finding:
    lasted = span(max(occasion.now - begun.created, timedelta(0)))
    since = day_since(begun.created, occasion.now, ZoneInfo(occasion.zone))
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=f"{begun.thread}:end",
        severity="info",
        topic="",
        headline=one_line(f"{settings.name}: no longer true; it lasted {lasted}", _HEADLINE),
        explanation=f"The query of this rule found something since {since}, and finds nothing any more.",
        send=settings.send,
        zone=occasion.zone,
        thread=begun.thread,
        phase="end",
    )


def _error(settings: QueryRule, error: str, occasion: Occasion) -> Finding:
    reason, day = one_line(error, 300), occasion.now.astimezone(UTC).date()
    mark = sha256(error.encode("utf-8", "replace")).hexdigest()[:8]
    return Finding(
        rule=settings.name,
        kind=settings.rule,
        key=f"{settings.name}:error:{day}:{mark}",
        severity="warning",
        topic="",
        headline=one_line(f"Alert rule '{settings.name}' cannot be evaluated: {reason}", _HEADLINE),
        explanation=f"Its query failed: {reason}. Until it works again, this rule notices nothing.",
        send=settings.send,
        zone=occasion.zone,
        advice=f"Correct sql: of the rule '{settings.name}' in feeds.yaml; `monitor sql` runs a statement by hand.",
    )


# rows as a table


def _table(answer: QueryAnswer) -> Table:
    """Lay the first rows out: the first columns, without `url`, which becomes the link of `title`."""
    shown = [index for index, name in enumerate(answer.columns) if not _is_link(answer.columns, name)][:COLUMNS_SHOWN]
    rows = answer.rows[:ROWS_SHOWN]
    return Table(
        title="What the query finds",
        columns=tuple(_column(answer, index) for index in shown),
        rows=tuple(tuple(_cell(answer.columns, row, index) for index in shown) for row in rows),
        left_out=max(answer.total - len(rows), 0),
        numbers=tuple(_column(answer, index) for index in shown if _is_number([row[index] for row in rows])),
    )


def _is_link(columns: Sequence[str], name: str) -> bool:
    return name == "url" and "title" in columns


def _column(answer: QueryAnswer, index: int) -> str:
    return one_line(answer.columns[index], _COLUMN)


def _cell(columns: Sequence[str], row: Row, index: int) -> Cell:
    url = row[columns.index("url")] if columns[index] == "title" and "url" in columns else None
    return Cell(one_line(_text(row[index]), _CELL), url if isinstance(url, str) else None)


def _text(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if 1 <= abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004 - exact digits end there
    return "" if value is None else str(value)


def _is_number(values: Sequence[str | float | None]) -> bool:
    """Tell whether a column holds numbers, and nothing else where it holds anything."""
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) for value in known)


def _evidence(answer: QueryAnswer) -> tuple[int, ...]:
    """Return the items that the rows are about, each once."""
    if "item_id" not in answer.columns:
        return ()
    index = answer.columns.index("item_id")
    found = [row[index] for row in answer.rows]
    return tuple(dict.fromkeys(one for one in found if isinstance(one, int)))
