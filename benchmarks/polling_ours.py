"""Our side of the polling benchmark: the pipeline's own poll in a process of its own.

``python -m benchmarks.polling_ours DATABASE`` reads a JSON list of feed URLs, then one command a line from standard
input, and answers each with a line of JSON: ``poll`` (all feeds at once), ``single`` (some, one after the other),
``profile`` (as poll, with what the event loop's time went to) and ``memory``. Polls run as in the daemon, with its log
on standard error, but no classifier. The last feed is only there to warm up on.
"""

import asyncio
import cProfile
import io
import json
import pstats
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.polling_usage import peak_megabytes, usage
from monitor import logs, pipeline, wiring
from monitor.config import Config
from monitor.signals.reading import Reading
from monitor.system import System
from storage.feed_records import Feed, Poll
from storage.store import Store

SINGLES = 200
"""How many feeds are polled one after the other."""
_FAR_FUTURE = datetime(2200, 1, 1, tzinfo=UTC)  # when every feed is due
_LINES = 30


class NoClassifier:
    """Knows no topics."""

    name = "none"
    topics: tuple[str, ...] = ()
    models: Mapping[str, str] = {}
    thresholds: Mapping[str, float] = {}

    def load(self) -> None:
        """Do nothing."""

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Find nothing in any text."""
        return [Reading({}) for _ in texts]


class Bench:
    """Polls and measures."""

    def __init__(self, system: System, warm_up: str) -> None:
        self._system = system
        self._warm_up = warm_up
        self._done: dict[str, float] = {}
        self._stored = 0
        self._errors: list[str] = []

    async def warm_up(self) -> None:
        """Load what only the first poll loads, and start the parse worker."""
        await pipeline.poll(self._system, [f for f in await self._all() if f.url == self._warm_up], self._note)

    async def poll(self) -> dict[str, Any]:
        """Poll all feeds at once."""
        self._forget()
        before = usage()
        await pipeline.poll(self._system, await self._feeds(), self._note)
        return {**asdict(usage() - before), **self._told()}

    async def single(self) -> dict[str, Any]:
        """Poll some feeds, one after the other."""
        self._forget()
        for feed in (await self._feeds())[:SINGLES]:
            await pipeline.poll(self._system, [feed], self._note)
        return self._told()

    async def profile(self) -> dict[str, Any]:
        """Poll all feeds at once with a profile of the event loop (on the clock; profiling takes time of its own)."""
        profiler, text = cProfile.Profile(), io.StringIO()
        with profiler:
            told = await self.poll()
        pstats.Stats(profiler, stream=text).sort_stats("tottime").print_stats(_LINES)
        return {**told, "text": text.getvalue()}

    async def _all(self) -> list[Feed]:
        return await self._system.store.due_feeds(_FAR_FUTURE)

    async def _feeds(self) -> list[Feed]:
        return [feed for feed in await self._all() if feed.url != self._warm_up]

    def _forget(self) -> None:
        self._done, self._stored, self._errors = {}, 0, []

    def _note(self, poll: Poll, stored: int) -> None:
        self._done[poll.feed.url] = time.monotonic()
        self._stored += stored
        if poll.fetched.error:
            self._errors.append(poll.fetched.error)

    def _told(self) -> dict[str, Any]:
        return {"done": self._done, "stored": self._stored, "errors": self._errors}


def configuration(database: Path, urls: Sequence[str]) -> Config:
    """Return the default settings with these feeds, which lie on this machine."""
    feeds = [{"name": f"Site {number}", "url": url} for number, url in enumerate(urls)]
    return Config.model_validate({"database": database, "fetch": {"allow": ["127.0.0.0/8"]}, "feeds": feeds})


async def serve(database: Path) -> None:
    """Carry out commands until standard input ends."""
    urls = json.loads(await _line())
    config = configuration(database, urls)
    with Store(config.database) as store:
        system = wiring.build(config, store, NoClassifier(), lambda name: name)
        empty, _ = peak_megabytes()
        await wiring.take_up(system)
        bench = Bench(system, urls[-1])
        await bench.warm_up()
        wiring.settle()
        commands = {"poll": bench.poll, "single": bench.single, "profile": bench.profile}
        while command := (await _line()).strip():
            answer = await commands[command]() if command in commands else _memory(empty)
            print(json.dumps(answer), flush=True)
        await wiring.close(system)


def _memory(empty: float) -> dict[str, float]:
    own, worker = peak_megabytes()
    return {"empty": empty, "added": own - empty, "worker": worker}


async def _line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    logs.configure("info", "json")
    asyncio.run(serve(Path(sys.argv[1])))
