"""Earlier alerts, as rules and the decision about the next alert need to know them."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlite_utils import Database

from storage.alert_records import Inhibitor, PastAlert, ToldAlert
from storage.times import from_text, maybe_time, to_text

PAST_OF_A_RULE = 5_000
"""So many of a rule's alerts are looked at, the newest."""
ENDED_KEPT = timedelta(days=60)
"""Rules are told so long of what has ended. A trend goes on with its episode within a week or never."""

# Something that ended may begin anew in the same thread: its newest alert says whether it lasts.
_LASTS = "(SELECT n.phase FROM alerts n WHERE n.thread = a.thread ORDER BY n.id DESC LIMIT 1) <> 'end'"
_MAY_LAST = "a.kind <> 'match'"
_SUMMARY = "EXISTS (SELECT 1 FROM alerts m WHERE m.told_in = a.id)"


def known_keys(db: Database, keys: Sequence[str]) -> frozenset[str]:
    """Return those of these keys that an alert has."""
    sql = "SELECT key FROM alerts WHERE key IN (SELECT value FROM json_each(?))"
    return frozenset(row["key"] for row in db.execute(sql, [json.dumps(list(keys))]))


def told_stories(db: Database, asked: Sequence[tuple[str, int]]) -> frozenset[tuple[str, int]]:
    """Return those of these rules and items whose story an alert of that rule, of kind `match`, has told.

    Stories that turn out to be one are merged: the story's number is then another one than when it was told.
    """
    rows = db.execute(_TOLD_STORIES, [json.dumps([list(one) for one in asked])])
    return frozenset((row["rule"], row["item_id"]) for row in rows)


_TOLD_STORIES = """
WITH asked AS (SELECT json_extract(value, '$[0]') AS rule, json_extract(value, '$[1]') AS item_id FROM json_each(?))
SELECT rule, item_id FROM asked WHERE EXISTS (
  SELECT 1 FROM story_items m CROSS JOIN story_items o ON o.story_id = m.story_id
  CROSS JOIN alert_items e ON e.item_id = o.item_id CROSS JOIN alerts a ON a.id = e.alert_id
  WHERE m.item_id = asked.item_id AND a.rule = asked.rule AND a.kind = 'match')
"""


def told_alerts(db: Database, rules: Mapping[str, str], now: datetime) -> dict[str, ToldAlert]:
    """Return by key the alerts of these rules (name and kind), but those whose thread ended ENDED_KEPT ago.

    None of the kind `match`, whose findings do not last. What a rule of this name was told as another kind is not its
    own.
    """
    values = {"rules": json.dumps(dict(rules)), "since": to_text(now - ENDED_KEPT)}
    return {
        key: ToldAlert(key, rule, thread, phase, from_text(made), state, maybe_time(acked), strength, maybe_time(until))
        for key, rule, thread, phase, made, state, acked, strength, until in db.conn.execute(_TOLD, values)
    }


# An index holds all of this, in these words: the rows themselves are long.
_TOLD = f"""
SELECT a.key, a.rule, a.thread, a.phase, a.created, a.state, a.acked, a.strength, a.held_until
FROM json_each(:rules) r CROSS JOIN alerts a ON a.rule = r.key AND a.kind = r.value
WHERE {_MAY_LAST} AND (a.created >= :since OR {_LASTS})
"""


def last_raised(db: Database, rules: Sequence[str]) -> dict[str, datetime]:
    """Return when each of these rules last had something to tell.

    An end is nothing new, neither is a summary, and that a rule cannot be evaluated says nothing of what it watches.
    """
    rows = db.execute(_LAST, [json.dumps(list(rules))])
    return {row["rule"]: from_text(row["created"]) for row in rows if row["created"] is not None}


_LAST = f"""
SELECT value AS rule, (SELECT a.created FROM alerts a WHERE a.rule = value AND a.phase <> 'end' AND NOT {_SUMMARY}
                         AND instr(a.key, value || ':error:') <> 1
                       ORDER BY a.created DESC LIMIT 1) AS created
FROM json_each(?)
"""


def past_alerts(db: Database, rules: Sequence[str], since: datetime, most: int = PAST_OF_A_RULE) -> list[PastAlert]:
    """Return the newest alerts of each of these rules since then, and those that began what still lasts; oldest first.

    At most ``most`` for each rule and question.
    """
    found: dict[int, PastAlert] = {}
    for rule in dict.fromkeys(rules):
        for sql in (_SINCE, _SENT, _LASTING):
            rows = db.execute(sql, {"rule": rule, "since": to_text(since), "most": most})
            found |= {row["id"]: _past(row) for row in rows}
    return [found[alert_id] for alert_id in sorted(found)]


_PAST = f"""
SELECT a.id, a.rule, a.topic, a.created, a.state, a.strength, a.thread, a.phase, a.held_until, {_SUMMARY} AS summary
FROM alerts a
"""
_SINCE = f"{_PAST} WHERE a.rule = :rule AND a.created >= :since ORDER BY a.created DESC LIMIT :most"
# What was told counts against the cooldown, however much was found beside it.
_SENT = f"{_PAST} WHERE a.rule = :rule AND a.created >= :since AND a.state = 'told' ORDER BY a.created DESC LIMIT :most"
_LASTING = f"""{_PAST} WHERE {_MAY_LAST} AND a.rule = :rule AND a.phase = 'start' AND a.created < :since AND {_LASTS}
               ORDER BY a.created DESC LIMIT :most"""


def _past(row: sqlite3.Row) -> PastAlert:
    return PastAlert(
        rule=row["rule"],
        topic=row["topic"],
        created=from_text(row["created"]),
        state=row["state"],
        strength=row["strength"],
        thread=row["thread"],
        phase=row["phase"],
        until=maybe_time(row["held_until"]),
        summary=bool(row["summary"]),
    )


def inhibitors(db: Database, since: datetime, named: Sequence[str] = ()) -> list[Inhibitor]:
    """Return the alerts that may mute others: what began and still lasts, and what was told since then.

    That is what trends told, and the newest of each topic by the rules that others have ``named``. Only what people
    were told mutes; not what waits, or was muted itself. An end mutes nothing.
    """
    return [_inhibitor(row) for row in db.execute(_INHIBITORS, {"since": to_text(since), "named": json.dumps(named)})]


_INHIBITORS = f"""
WITH telling AS (
  SELECT a.id, a.phase <> 'once' AND {_LASTS} AS lasts FROM alerts a
  WHERE a.created >= :since AND +a.kind IN ('trend', 'compound') AND a.phase <> 'end'
  UNION
  SELECT max(a.id), 0 FROM alerts a
  WHERE a.rule IN (SELECT value FROM json_each(:named)) AND a.created >= :since AND a.phase <> 'end'
    AND a.state IN ('told', 'carried') GROUP BY a.rule, a.topic
  UNION
  SELECT o.id, 1 FROM alerts a JOIN alerts o ON o.thread = a.thread
  WHERE {_MAY_LAST} AND a.phase = 'start' AND {_LASTS}
    AND (o.phase = 'start' OR o.phase = 'update' AND o.kind IN ('trend', 'compound')))
SELECT a.rule, a.kind, a.topic, a.headline, a.created, t.lasts,
       CASE WHEN json_valid(a.finding) THEN json_extract(a.finding, '$.send') END AS send,
       (SELECT json_group_array(e.item_id) FROM alert_items e WHERE e.alert_id = a.id) AS evidence
FROM telling t CROSS JOIN alerts a ON a.id = t.id
WHERE a.state IN ('told', 'carried') ORDER BY a.id
"""


def _inhibitor(row: sqlite3.Row) -> Inhibitor:
    return Inhibitor(
        rule=row["rule"],
        kind=row["kind"],
        topic=row["topic"],
        headline=row["headline"],
        created=from_text(row["created"]),
        send=tuple(json.loads(row["send"] or "[]")),
        evidence=frozenset(json.loads(row["evidence"])),
        lasts=bool(row["lasts"]),
    )
