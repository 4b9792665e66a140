"""The parts of a running monitor, as the pipeline uses them."""

from asyncio import Semaphore
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.alerts.channels.channel import Channel
from monitor.config import Config
from monitor.detection.flow import Calendar
from monitor.feeds.fetch import Fetcher
from monitor.feeds.worker import ParseWorker
from monitor.signals.classifier import Classifier
from storage.store import Store


@dataclass(frozen=True, slots=True)
class System:
    """Everything that acts on the world, and the clock. Built by monitor.wiring, replaced by tests.

    ``slots`` are the places for feeds that are asked at the same time. ``thresholds`` holds, per topic, the probability
    at which an item becomes a signal. ``calendar`` says whose days are counted. ``now`` returns aware UTC. ``asked``
    remembers when the query of an alert rule was asked last.
    """

    config: Config
    store: Store
    fetcher: Fetcher
    slots: Semaphore
    parser: ParseWorker
    classifier: Classifier
    thresholds: Mapping[str, float]
    channels: Mapping[str, Channel]
    calendar: Calendar
    now: Callable[[], datetime]
    asked: dict[str, datetime] = field(default_factory=dict)
