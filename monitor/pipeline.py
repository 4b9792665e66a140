"""The whole flow on one screen. Nothing is decided here: pure modules decide, the store remembers.

::

    due feeds → fetch → parse → keep what is new          poll
              → classify                                  classify
              → group into stories → count                group
              → detect trends → evaluate alert rules      judge
              → outbox → deliver                          deliver

SQLite is the queue. What a step has to do is a query on the database, and every step ends in one transaction, so a
crash at any point loses nothing and repeats at most one batch.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from monitor import occasions, polling, trends
from monitor.alerts.attention import Attention, attend, release
from monitor.alerts.channels.channel import Channel
from monitor.alerts.retry import after_failure
from monitor.alerts.rules.occasion import RuleSettings
from monitor.alerts.rules.trend import budgets
from monitor.alerts.undelivered import notice
from monitor.detection import flow
from monitor.errors import ChannelError
from monitor.judging import AT_ONCE, findings
from monitor.progress import Progress
from monitor.signals.tags import classifications, signals
from monitor.signals.text import model_text
from monitor.stories import grouping
from monitor.system import System
from storage.alert_records import Alert, Delivery, Finding, Raised, Release, Sent, Unjudged
from storage.errors import StorageError
from storage.feed_records import Feed, Poll
from storage.records import Classification, Embedding, Item, Signal, Trend

BATCH = 64
SMALL_BATCH = 16  # where a person waits, perhaps with a large model: it can be stopped within seconds
BURST = timedelta(minutes=1)  # so long a message waits, at most, for the rest of what comes at once
UNTOLD = ChannelError("an attempt was begun, and its outcome is not known")

log = structlog.get_logger()


async def once(system: System, feeds: Sequence[Feed]) -> int:
    """Take these feeds through all steps once. Returns the number of new items."""
    new = 0

    def done(_poll: Poll, stored: int) -> None:
        nonlocal new
        new += stored

    await poll(system, feeds, done)
    await process(system)
    await deliver(system)
    return new


# fetch → parse → keep what is new


async def poll(system: System, feeds: Sequence[Feed], done: Callable[[Poll, int], None]) -> None:
    """Take each feed through fetch, parse and store; ``done`` hears of every poll and its number of new items.

    Raises StorageError when the database fails; whatever a feed does is recorded with it.
    """
    closed: set[str] = set()

    async def one(feed: Feed) -> None:
        # First its host's turn, then a slot: who waits for a slow host keeps nobody else from polling.
        async with system.fetcher.turn(feed.address or feed.url), system.slots:
            if feed.domain in closed:  # it said "too often" meanwhile; the feed stays due
                return
            outcome, new = await _poll_one(system, feed)
            if outcome.next.closed_until and feed.domain:
                closed.add(feed.domain)
            done(outcome, new)

    with Progress("polling feeds", len(feeds)) as progress:
        try:
            async with asyncio.TaskGroup() as tasks:
                for feed in feeds:
                    tasks.create_task(one(feed)).add_done_callback(lambda _task: progress.advance())
        except ExceptionGroup as several:  # the database failed them all: one reason is enough
            raise several.exceptions[0] from None


async def _poll_one(system: System, feed: Feed) -> tuple[Poll, int]:
    try:
        outcome = await polling.poll_feed(system, feed)
        new = await system.store.save_poll(outcome, system.now())
    except StorageError:
        raise
    except Exception as error:
        log.exception("feed.fault", feed=feed.name)
        outcome = polling.fault(system, feed, error)
        new = await system.store.save_poll(outcome, system.now())
    polling.tell(outcome, new)
    return outcome, new


# classify → group → count → detect trends → evaluate alert rules


async def process(system: System, go_on: Callable[[], bool] = lambda: True) -> None:
    """Take what is pending through classification, stories, counts, trends and rules, batch by batch.

    ``go_on`` is asked after every batch; the first batch may be empty, because trends move with time alone.
    """
    waiting = (await system.store.pending_counts()).get("classify", 0)
    with Progress("classifying items", waiting) as progress:
        more = True
        while more:
            try:
                progress.advance(await classify(system))
                await group(system)
            except Exception:
                await judge(system)  # what waits to be told, and what else the rules watch, waits for no model
                raise
            await judge(system)
            more = go_on() and bool(await system.store.pending_counts())


async def classify(system: System) -> int:
    """Tag one batch of items with topics. Returns its size."""
    items = await system.store.pending("classify", BATCH)
    if not items:
        return 0
    found, tagged, embeddings = await _read(system, items)
    await system.store.save_classified(found, tagged, embeddings, system.now())
    log.info("items.classified", items=len(items), signals=len(tagged))
    return len(items)


async def reclassify(system: System, since: datetime, advance: Callable[[int], None]) -> int:
    """Have the classifier read stored items published since then that it has not read yet; the newest first.

    Nothing an earlier model said is forgotten. Stop it at any time: it goes on where it was. ``advance`` hears of every
    batch's size. Returns the number of items read.
    """
    done, last = 0, None
    while items := await system.store.unread(system.classifier.models, since, SMALL_BATCH, last):
        found, tagged, _ = await _read(system, items)
        await system.store.save_reclassified(found, tagged, system.now())
        advance(len(items))
        done, last = done + len(items), items[-1]
    return done


async def _read(system: System, items: Sequence[Item]) -> tuple[list[Classification], list[Signal], list[Embedding]]:
    texts = [model_text(item.title, item.summary) for item in items]
    readings = await asyncio.to_thread(system.classifier.read, texts)
    found: list[Classification] = []
    tagged: list[Signal] = []
    embeddings: list[Embedding] = []
    for item, reading in zip(items, readings, strict=True):
        found += classifications(item.id, reading.scores)
        tagged += signals(item.id, reading.scores, system.thresholds)
        if reading.embedding is not None:
            embeddings.append(Embedding(item.id, system.classifier.name, reading.embedding.astype("<f2").tobytes()))
    return found, tagged, embeddings


async def group(system: System) -> int:
    """Put one batch of items into stories, and count the days they touch. Returns its size."""
    new = await system.store.pending_tellings(BATCH)
    if new:
        told = [one for span in grouping.spans(new) for one in await system.store.tellings(*span)]
        placed = await asyncio.to_thread(grouping.group, new, told)
        await system.store.save_grouping(placed, system.now())
    return len(new)


async def judge(system: System) -> int:
    """Let the trend detector and the alert rules look at what is new. Returns the number of messages that follow."""
    now, last_item = system.now(), await system.store.last_item()
    unjudged = await system.store.unjudged(AT_ONCE)
    looked = await _detect(system, now, news=bool(unjudged))
    found = await _find(system, unjudged, looked, now)
    raised = await _attend(system, found, now)
    judged = [one.item.id for one in unjudged]
    messages = 0
    if looked or judged or raised:
        messages = await system.store.save_judgement(looked, raised, judged, last_item, now)
    messages += await let_out(system)
    if raised or messages:
        log.info("alerts.raised", alerts=len(raised), messages=messages)
    return messages


async def _detect(system: System, now: datetime, *, news: bool) -> list[Trend]:
    """Compare every topic with its baseline: when there is news, and once an hour.

    Not while items wait, because half a count is no count.
    """
    if (await system.store.pending_counts()).keys() & {"classify", "group"}:
        return []
    before, topics = await system.store.latest_trends(), system.classifier.topics
    if not news and all(topic in before and _same_hour(before[topic].evaluated, now) for topic in topics):
        return []
    history = await system.store.history(topics, *flow.begins(now, system.calendar))

    def look(topic: str) -> Trend:
        allowed = budgets(system.config.alerts, topic)
        return trends.evaluate(topic, history, before.get(topic), now, system.calendar, allowed)

    return [await asyncio.to_thread(look, topic) for topic in topics]


def _same_hour(one: datetime, other: datetime) -> bool:
    return one.replace(minute=0, second=0, microsecond=0) == other.replace(minute=0, second=0, microsecond=0)


async def _find(system: System, unjudged: Sequence[Unjudged], looked: Sequence[Trend], now: datetime) -> list[Finding]:
    """Return what the rules find and was not found before."""
    store, config = system.store, system.config
    answers = await occasions.ask(store.path, config.alerts, system.asked, now)
    occasion = await occasions.gather(
        store, config, system.calendar, now, trends=looked, unjudged=unjudged, answers=answers
    )
    found = await asyncio.to_thread(findings, config.alerts, occasion, tuple(system.channels), _rule_failed)
    if not found:
        return []
    known = await store.known_keys([one.key for one in found])
    stories = await store.told_stories([_story(one) for one in found if one.kind == "match"])
    return [one for one in found if one.key not in known and _story(one) not in stories]


def _story(finding: Finding) -> tuple[str, int]:
    """Name what a match tells: a rule, and an item of the story."""
    return finding.rule, finding.evidence[0] if finding.kind == "match" and finding.evidence else 0


def _rule_failed(rule: RuleSettings, error: Exception) -> None:
    log.error("alerts.rule_failed", rule=rule.name, exc_info=error)


async def _attend(system: System, found: Sequence[Finding], now: datetime) -> list[Raised]:
    """Decide which findings are told at once."""
    if not found:
        return []
    known = await occasions.attention(system.store, system.config, found, now)
    return attend(found, _rules(system), known, now)


async def let_out(system: System) -> int:
    """Decide about the alerts whose time of being held has come. Returns the number of messages that follow.

    While items wait to be judged, what they bring may belong to the same message: it waits for them, a little.
    """
    now = system.now()
    if await system.store.pending_counts() and not await system.store.held(now - BURST):
        return 0
    held = await system.store.held(now)
    if not held:
        return 0
    known = await occasions.attention(system.store, system.config, [one.finding for one in held], now)
    return await system.store.release(_releases(system, held, known, now), now)


def _releases(system: System, held: Sequence[Alert], known: Attention, now: datetime) -> list[Release]:
    """Decide rule by rule, so that one whose alerts meet a fault in the program keeps back no others."""
    rules, found = _rules(system), list[Release]()
    for rule in dict.fromkeys(one.finding.rule for one in held):
        try:
            found += release([one for one in held if one.finding.rule == rule], rules, known, now)
        except Exception:
            log.exception("alerts.rule_failed", rule=rule)
    return found


def _rules(system: System) -> dict[str, RuleSettings]:
    return {rule.name: rule for rule in system.config.alerts}


# outbox → deliver


async def deliver(system: System) -> int:
    """Send what is due, all channels side by side. Returns the number of messages sent."""
    channels = await system.store.due_channels(system.now())
    return sum(await asyncio.gather(*(deliver_to(system, channel) for channel in channels)))


async def deliver_to(system: System, channel: str) -> int:
    """Send one channel's messages in order; when its server is unwell, leave the rest for the next round.

    They are read one by one: an update needs to know what the server called the message before it.
    """
    sent = 0
    while due := await system.store.due_deliveries(channel, system.now(), 1):
        error = await _send(system, due[0])
        if error is None:
            sent += 1
        elif error.retry and not error.reached:
            break
    return sent


async def _send(system: System, delivery: Delivery) -> ChannelError | None:
    bound = log.bind(channel=delivery.channel, alert=delivery.alert.id, attempt=delivery.attempts + 1)
    # Written down first: if the outcome cannot be (a full disk, a crash), the message is repeated late and seldom.
    await system.store.begin_attempt(delivery, after_failure(delivery, UNTOLD, system.now()))
    outcome = await _attempt(system.channels.get(delivery.channel), delivery)
    if isinstance(outcome, Sent):
        await system.store.mark_sent(delivery, outcome, system.now())
        bound.info("delivery.sent", headline=delivery.alert.finding.headline)
        if outcome.refused:
            bound.warning("delivery.refused", recipients=outcome.refused)
        return None
    now = system.now()
    retry = after_failure(delivery, outcome, now)
    await system.store.mark_failed(delivery, retry, now, notice(delivery, retry, tuple(system.channels), now))
    bound.warning("delivery.failed", error=str(outcome), next_try=retry.at and retry.at.isoformat())
    return outcome


async def _attempt(channel: Channel | None, delivery: Delivery) -> Sent | ChannelError:
    if channel is None:
        return ChannelError(f"there is no channel {delivery.channel!r} in feeds.yaml any more", retry=False)
    try:
        return await channel.send(delivery)
    except ChannelError as error:
        return error
    except Exception as error:
        log.exception("delivery.fault", channel=delivery.channel)
        return ChannelError(f"unexpected {type(error).__name__}; see the log")
