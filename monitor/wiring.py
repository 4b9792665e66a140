"""Builds the running system from a configuration: the one place where the parts meet."""

import gc
from asyncio import Semaphore
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from monitor.alerts.channels import CHANNELS
from monitor.alerts.channels.channel import Channel, ReadSecret, Surroundings
from monitor.alerts.channels.posting import GuardedPoster
from monitor.config import Config, secret_reader
from monitor.detection.flow import Calendar
from monitor.detection.holidays import PublicHolidays
from monitor.feeds.addresses import Allow
from monitor.feeds.connect import Gate
from monitor.feeds.domains import registered_domain
from monitor.feeds.fetch import Fetcher
from monitor.feeds.names import Resolver
from monitor.feeds.worker import ParseWorker
from monitor.signals.classifier import Classifier
from monitor.signals.opening import open_classifier
from monitor.system import System
from storage.store import Store

FETCHES_KEPT = timedelta(days=400)
"""How long the record of single polls and looks is kept: a year can be replayed exactly."""
EMBEDDINGS_KEPT = timedelta(days=14)
"""How long after publication an item's embedding is kept."""


def utc_now() -> datetime:
    """Return the present moment: the clock of every system that is not a test or a replay.

    In whole seconds, as the database keeps it: a time must be the same before and after it was stored.
    """
    return datetime.now(UTC).replace(microsecond=0)


@asynccontextmanager
async def running(config: Config, read_secret: ReadSecret | None = None) -> AsyncIterator[System]:
    """Open the database and build everything; close it all afterwards.

    Secrets come from the environment unless ``read_secret`` is given. Raises StorageError, ClassifierError, or
    ConfigError when a secret is missing or makes no sense.
    """
    with Store(config.database) as store:
        classifier = open_classifier(config.classifier, config.topics, await store.heads())
        system = build(config, store, classifier, read_secret or secret_reader())
        try:
            await take_up(system)
            await prune(system)
            yield system
        finally:
            await close(system)


def build(config: Config, store: Store, classifier: Classifier, read_secret: ReadSecret) -> System:
    """Put a system together around an open store and a classifier."""
    return System(
        config=config,
        store=store,
        fetcher=Fetcher(config.fetch, user_agent(config.contact)),
        slots=Semaphore(config.poll.concurrency),
        parser=ParseWorker(),
        classifier=classifier,
        thresholds=thresholds(config, classifier),
        channels=channels(config, read_secret),
        calendar=calendar(config),
        now=utc_now,
    )


def calendar(config: Config) -> Calendar:
    """Return whose days are counted: those of the configuration's time zone, with the holidays of its countries."""
    return Calendar(config.zone(), PublicHolidays(config.holidays))


async def take_up(system: System) -> None:
    """Tell the database which feeds to poll, what decides each topic from now on, and which rules there are."""
    now = system.now()
    await system.store.sync_feeds(system.config.feed_specs(), now, registered_domain)
    await system.store.save_thresholds(system.classifier.models, system.thresholds, now)
    await system.store.count_in(system.config.timezone)
    await system.store.end_unwatched({rule.name: rule.rule for rule in system.config.alerts}, now)
    await system.store.reconsider(now)


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's rounds: it stays, and is large beside what comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def prune(system: System) -> None:
    """Forget what is no longer needed: old polls and looks, and embeddings of items that no new one can retell."""
    await system.store.prune_fetches(system.now() - FETCHES_KEPT)
    await system.store.prune_embeddings(system.now() - EMBEDDINGS_KEPT)


async def close(system: System) -> None:
    """Let go of connections and the parse worker; store and classifier stay as they are."""
    await system.fetcher.aclose()
    await system.parser.aclose()


def thresholds(config: Config, classifier: Classifier) -> Mapping[str, float]:
    """Return each topic's threshold: the configuration's, else the model card's."""
    chosen = {topic: settings.threshold for topic, settings in config.topics.items() if settings.threshold is not None}
    return {**classifier.thresholds, **chosen}


def user_agent(contact: str | None) -> str:
    """Name this program, its version and whom to write to, as polite robots do."""
    name = f"ai-market-monitor/{version('ai-market-monitor')}"
    return f"{name} ({contact})" if contact else name


def channels(config: Config, read_secret: ReadSecret) -> dict[str, Channel]:
    """Build the channels. Raises ConfigError when a secret is missing or makes no sense."""
    gate = Gate(Allow.parse(config.fetch.allow), Resolver())
    around = Surroundings(read_secret, GuardedPoster(gate), utc_now)
    return {name: CHANNELS[settings.type].build(settings, around) for name, settings in config.channels.items()}
