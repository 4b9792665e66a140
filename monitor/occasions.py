"""Gathers what the alert rules look at: only what the rules of feeds.yaml ask for. Decides nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from monitor.alerts.attention import MUTES_FOR, REMEMBERED, Attention
from monitor.alerts.rules import digest, query
from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.digest import DigestRule
from monitor.alerts.rules.feeds import RECOVERED_WITHIN
from monitor.alerts.rules.occasion import CHART_DAYS, STORIES_KNOWN, Occasion, Tagged
from monitor.alerts.rules.query import QueryRule
from monitor.config import Config
from monitor.detection.flow import Calendar
from monitor.judging import topics_of_interest
from monitor.stories import grouping
from storage import reading
from storage.alert_records import DigestData, Finding, QueryAnswer, StoryLine, StreamHealth, ToldAlert, Unjudged
from storage.errors import StorageError
from storage.records import Trend
from storage.store import Store

ROWS_KEPT, ROWS_COUNTED = 100, 1000
"""Of the answer to a rule's query so many rows are kept, and counted."""

PATIENCE = timedelta(minutes=30)
"""So long a digest waits for items that are not through yet."""

log = structlog.get_logger()


async def attention(store: Store, config: Config, found: Sequence[Finding], now: datetime) -> Attention:
    """Return what decides whether these findings are told at once."""
    return Attention(
        past=await store.past_alerts(sorted({one.rule for one in found}), now - REMEMBERED),
        silences=await store.silences(now),
        inhibitors=await store.inhibitors(now - MUTES_FOR, [name for rule in config.alerts for name in rule.muted_by]),
        zone=config.timezone,
        quiet=config.quiet,
    )


async def gather(  # noqa: PLR0913 - three sources, a moment, and what was just looked at
    store: Store,
    config: Config,
    calendar: Calendar,
    now: datetime,
    *,
    trends: Sequence[Trend] = (),
    unjudged: Sequence[Unjudged] = (),
    answers: Mapping[str, QueryAnswer] | None = None,
) -> Occasion:
    """Return what the rules of this configuration may look at."""
    told = await store.told_alerts({rule.name: rule.rule for rule in config.alerts}, now)
    wanted = topics_of_interest(config.alerts, trends, told, now)
    kinds = {rule.rule for rule in config.alerts}
    stream = await _stream(store, config, now) if kinds & {"silence", "digest"} else None
    return Occasion(
        now=now,
        zone=config.timezone,
        trends=tuple(trends),
        tagged=tuple(tagged(one) for one in unjudged if not one.item.backlog),
        stories={topic: await _stories(store, topic, since) for topic, since in wanted.items()},
        days={topic: await store.day_counts(topic, calendar.day(now), CHART_DAYS) for topic in wanted},
        feeds=tuple(await store.feed_health(now - RECOVERED_WITHIN)) if "feeds" in kinds else (),
        told=told,
        last=await store.last_raised(_rules_named(config)),
        stream=stream if stream and not await _is_catching_up(store, now) else None,
        answers=answers or {},
        digests=await _digests(store, config, told, stream.began if stream else None, now),
    )


async def _stream(store: Store, config: Config, now: datetime) -> StreamHealth:
    found = await store.stream_health(now)
    return replace(found, channels=tuple(one for one in found.channels if one.name in config.channels))


async def _is_catching_up(store: Store, now: datetime) -> bool:
    """Tell whether most feeds are still to be asked, as after a night's sleep of the machine: nothing is silent yet."""
    return 2 * len(await store.due_feeds(now)) > len(await store.all_feeds())


def tagged(one: Unjudged) -> Tagged:
    """Return a stored item as the rules see it."""
    return Tagged(
        item=one.item,
        topics={signal.topic: signal.probability for signal in one.signals},
        words={signal.topic: signal.words for signal in one.signals},
        kind=one.kind,
        story_id=one.story_id,
        outlets=one.outlets,
        earlier=tuple(map(tagged, one.earlier)),
    )


async def _stories(store: Store, topic: str, since: datetime) -> tuple[StoryLine, ...]:
    return await store.story_lines(topic, since, grouping.WITHIN, STORIES_KNOWN)


def _rules_named(config: Config) -> list[str]:
    """Name the rules that other rules wait for."""
    return sorted({name for rule in config.alerts if isinstance(rule, CompoundRule) for name in rule.rules_named})


async def _digests(
    store: Store, config: Config, told: Mapping[str, ToldAlert], began: datetime | None, now: datetime
) -> dict[str, DigestData]:
    found = {}
    waiting = bool((await store.pending_counts()).keys() & {"classify", "group"})
    for rule in config.alerts:
        if isinstance(rule, DigestRule) and (period := digest.due(rule, config.timezone, told, began, now)):
            if waiting and now - period.until < PATIENCE:
                continue  # what was seen before the slot still waits to be counted
            found[rule.name] = await digest_of(store, rule, period, now)
    return found


async def digest_of(store: Store, rule: DigestRule, period: digest.Period, now: datetime) -> DigestData:
    """Return what a digest tells of a period."""
    topics = rule.topics or tuple(await store.thresholds())
    return await store.digest_data(topics, period.since, period.until, now, CHART_DAYS, rule.stories)


async def ask(
    database: Path, rules: Sequence[object], last: dict[str, datetime], now: datetime
) -> dict[str, QueryAnswer]:
    """Ask the database what the rules of kind `query` want to know, where it is time; ``last`` remembers when."""
    found = {}
    for rule in rules:
        if isinstance(rule, QueryRule) and query.asked(rule, last.get(rule.name), now):
            last[rule.name] = now
            found[rule.name] = await asyncio.to_thread(answer, database, rule)
            if found[rule.name].error:
                log.warning("alerts.query_failed", rule=rule.name, error=found[rule.name].error)
    return found


def answer(database: Path, rule: QueryRule) -> QueryAnswer:
    """Ask one rule's question, read-only and within its time."""
    try:
        found = reading.ask(database, rule.sql, seconds=rule.timeout.total_seconds(), most=ROWS_COUNTED)
    except StorageError as error:
        return QueryAnswer(error=str(error))
    return QueryAnswer(found.columns, tuple(found.rows[:ROWS_KEPT]), len(found.rows))
