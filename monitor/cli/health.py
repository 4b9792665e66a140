"""How the monitor is: for people (status) and for supervisors (healthcheck)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from shlex import quote

import click

from monitor.alerts.wording import one_line
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.tables import show
from monitor.config import Config
from monitor.settings import format_duration
from monitor.wiring import utc_now
from storage import reading, stream
from storage.alert_records import ChannelHealth
from storage.connection import open_reader, translated
from storage.errors import StorageError
from storage.reading import Answer
from storage.times import from_text, to_text

LONGEST_WAIT = timedelta(hours=1)
"""An item that waits longer than this for its classification shows that the daemon is stuck."""
LONGEST_REFUSAL = timedelta(hours=6)
"""A channel that takes no message for longer needs a person."""
ROWS_SHOWN = 20
_AFTERWARDS = "what waits is sent by itself, what was given up by `monitor deliver --failed`"


@click.command()
@config_option
@click.option("--all", "all_feeds", is_flag=True, help="Show healthy feeds too, not only those in trouble.")
def status(config_path: Path, all_feeds: bool) -> None:
    """Show feeds, last polls, pending work, the topics' state, and alerts that last, wait, or have not arrived."""
    config = load_config(config_path)
    now = utc_now()
    parts = reading.status(config.database)
    click.echo(f"database {config.database}")
    click.echo(_totals(_first(parts["totals"]), now))
    _feeds(parts["feeds"], all_feeds)
    for part, title in _TITLES.items():
        if parts[part].rows:
            _part(title, _pick(parts[part], *_COLUMNS[part]))
    _channels(channels_in_trouble(config, now), now)
    _small_topics(parts["trends"])


def _part(title: str, answer: Answer) -> None:
    """Show the first rows of a part: after an outage there may be thousands."""
    click.echo(f"\n{title}")
    show(Answer(answer.columns, answer.rows[:ROWS_SHOWN]), "table")
    if (more := len(answer.rows) - ROWS_SHOWN) > 0:
        click.echo(f"and {more:,} more", err=True)


def _channels(found: Sequence[ChannelHealth], now: datetime) -> None:
    """Say which channels take no messages, since when, and what to do."""
    for one in found:
        waiting = f"{one.waiting:,} waiting" + (f", {one.given_up:,} given up" if one.given_up else "")
        since = _ago(to_text(one.since), now)
        click.echo(f"\nchannel {one.name!r} takes no messages, since the first that failed {since} ({waiting}):")
        click.echo(f"  {one_line(one.error, 300)}")
        click.echo(f"  `monitor alerts test {quote(one.name)}` tries it; {_AFTERWARDS}")


def _small_topics(trends: Answer) -> None:
    """Say which topics are too small: below one story a day no method finds more than the largest surges."""
    rows = _pick(trends, "topic", "state", "expected").rows
    small = [str(topic) for topic, state, expected in rows if state != "learning" and expected < 1]
    if small:
        names = ", ".join(small)
        click.echo(f"\nless than a story a day is expected of {names}: only very large changes can be noticed there")


_TITLES = {
    "trends": "Topics: stories against what was expected (per_year: how often chance alone does this)",
    "pending": "Waiting for a step of the pipeline",
    "open": "Alerts that last (`monitor alerts ack ID` stops reminders)",
    "held": "Alerts that wait, and come out by themselves",
    "silences": "Silenced: recorded, and not told (`monitor alerts unsilence RULE` ends it)",
    "deliveries": "Alerts that have not arrived (`monitor deliver --failed` tries again what was given up)",
}


_COLUMNS = {
    "feeds": ("name", "state", "since", "reason", "next_poll"),
    "trends": ("topic", "state", "observed", "expected", "low", "high", "per_year", "since", "ready"),
    "pending": ("step", "items"),
    "open": ("alert_id", "since", "severity", "rule", "topic", "headline", "acked"),
    "held": ("rule", "why", "alerts", "until"),
    "silences": ("rule", "topic", "until", "reason"),
    "deliveries": ("headline", "channel", "state", "attempts", "next_try", "error"),
}


_ALL_FEEDS = ("name", "state", "since", "last_ok", "minutes", "per_day", "next_poll", "status", "reason")


def _pick(answer: Answer, *columns: str) -> Answer:
    index = [answer.columns.index(column) for column in columns]
    return Answer(columns, [tuple(row[i] for i in index) for row in answer.rows])


def _first(answer: Answer) -> dict[str, object]:
    return dict(zip(answer.columns, answer.rows[0], strict=True)) if answer.rows else {}


def _totals(totals: dict[str, object], now: datetime) -> str:
    counts = ", ".join(f"{totals[name]} {name}" for name in ("items", "signals", "stories", "alerts"))
    return f"{counts}; last poll {_ago(totals['last_poll'], now)}, newest item seen {_ago(totals['newest_item'], now)}"


def _ago(moment: object, now: datetime) -> str:
    if not isinstance(moment, str):
        return "never"
    minutes = int((now - from_text(moment)).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 2 * 60 else f"{minutes // 60} h ago"


def _feeds(feeds: Answer, all_feeds: bool) -> None:
    states = [str(state) for (state,) in _pick(feeds, "state").rows]
    click.echo(f"\n{len(states)} feeds: {_counts(states)}")
    chosen = _pick(feeds, *(_ALL_FEEDS if all_feeds else _COLUMNS["feeds"]))
    if rows := [row for row, state in zip(chosen.rows, states, strict=True) if all_feeds or state in _IN_TROUBLE]:
        show(Answer(chosen.columns, rows), "table")
    for state, advice in _IN_TROUBLE.items():
        if state in states:
            click.echo(f"{state}: {advice}")


def _counts(states: Sequence[str]) -> str:
    """Count feeds by state: well ones first, then the worst."""
    counts = Counter("not asked yet" if state == "new" else state for state in states)
    present = [state for state in (*_IN_TROUBLE, "not asked yet") if counts[state]]
    return ", ".join(f"{counts[state]} {state}" for state in ("ok", *present))


_IN_TROUBLE = {
    "gone": "its site says that it is no more; remove it, or look for its successor with `monitor feeds add SITE`",
    "blocked": "its site refuses this program; set `contact:`, ask it less often (`every:`), or write to its owner",
    "failing": "it is asked again, ever more seldom; `monitor feeds check NAME` asks at once and says what can be done",
    "stale": "it answers, but has had no news for long; look whether its site has another feed",
}
"""The states that need attention, the worst first, and what a person can do."""


@click.command()
@config_option
@click.option("--max-age", type=DURATION, help="How old the last good answer of any feed may be, such as 2h.")
def healthcheck(config_path: Path, max_age: timedelta | None) -> None:
    """Exit 0 when some feed has answered lately, no item is stuck and every channel takes messages, else 1.

    A channel fails when it gave a message up, or has taken none for six hours, and has taken no later one.
    """
    config = load_config(config_path)
    try:
        complaint = verdict(config, max_age, utc_now())
    except StorageError as error:
        complaint = str(error)
    click.echo(complaint or "ok", err=bool(complaint))
    raise SystemExit(1 if complaint else 0)


def verdict(config: Config, limit: timedelta | None, now: datetime) -> str | None:
    """Return what is wrong, or None when all is well. Without a limit, the feeds' own pace sets it."""
    row = _first(reading.ask(config.database, _HEALTH))
    last_ok, stuck = row["last_ok"], row["oldest_pending"]
    if not isinstance(last_ok, str):
        return "no feed has answered yet"
    limit = limit or _longest_silence(row["shortest"])
    if now - from_text(last_ok) > limit:
        return f"no feed has answered since {last_ok}, more than {format_duration(limit)} ago"
    if isinstance(stuck, str) and now - from_text(stuck) > LONGEST_WAIT:
        return f"items wait for classification since {stuck}"
    return "; ".join(_refusal(one) for one in channels_in_trouble(config, now) if _is_lasting(one, now)) or None


def channels_in_trouble(config: Config, now: datetime) -> list[ChannelHealth]:
    """Return the channels of feeds.yaml that have taken no message since one that failed. Raises StorageError."""
    db = open_reader(config.database)
    try:
        with translated(config.database):
            return [one for one in stream.health(db, now).channels if one.name in config.channels]
    finally:
        db.close()


def _is_lasting(channel: ChannelHealth, now: datetime) -> bool:
    return bool(channel.given_up) or now - channel.since > LONGEST_REFUSAL


def _refusal(channel: ChannelHealth) -> str:
    return f"channel {channel.name!r} has not taken a message since {to_text(channel.since)}: {channel.error}"


def _longest_silence(shortest: object) -> timedelta:
    """Return how long all feeds together may stay silent: three times the shortest way between two polls of one."""
    seconds = shortest if isinstance(shortest, int) else 0
    return max(3 * timedelta(seconds=seconds), timedelta(hours=1))


# Where a site wants to be asked less often than the feed has news, its next poll is further away than `every`.
_HEALTH = """SELECT (SELECT max(last_ok) FROM feeds WHERE active) AS last_ok,
                    (SELECT min(+seen) FROM items WHERE pending IS NOT NULL) AS oldest_pending,
                    (SELECT min(CASE WHEN failures = 0 AND last_poll IS NOT NULL
                                     THEN max(every, strftime('%s', next_poll) - strftime('%s', last_poll))
                                     ELSE every END)
                     FROM feeds WHERE active AND state <> 'gone') AS shortest"""
