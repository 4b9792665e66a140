"""Measure the time from a fetch to a sent alert: `python -m benchmarks.latency`.

The real daemon in this process, polling feeds on loopback every second, with the shipped model, mail and webhook. One
new item after the other is published; the clock runs from the end of the fetch that brings it to the arrival of the
message at the webhook's server. The goal is two seconds.
"""

import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from monitor import logs, wiring
from monitor.config import Config, load, secret_reader
from monitor.daemon import Daemon
from monitor.demo.scenario import Row
from monitor.demo.servers import DemoServers, serve
from monitor.feeds.fetch import Fetcher
from monitor.signals.onnx_classifier import OnnxClassifier
from storage.feed_records import Feed, Fetched

ITEMS = 20
FEED = "The Inference Desk"
GOAL_SECONDS = 2.0


class TimedFetcher(Fetcher):
    """A fetcher that remembers when it last brought a document."""

    brought = 0.0

    async def fetch(self, feed: Feed, now: datetime) -> Fetched:
        """Fetch, and look at the clock."""
        fetched = await super().fetch(feed, now)
        if fetched.body is not None:
            self.brought = time.perf_counter()
        return fetched


def news(number: int, round_: int) -> Row:
    """Build an item that carries efficiency beyond doubt."""
    title = f"Laboratory number {number} matches the frontier at one thirtieth of the training cost"
    return Row(FEED, 0.01 if round_ else 21.0, title, "", "en", (), round_)


def configuration(folder: Path, servers: DemoServers) -> Config:
    """Write and read a feeds.yaml that alerts on every efficiency item."""
    path = folder / "feeds.yaml"
    path.write_text(f"""
poll: {{every: 1s}}
fetch: {{allow: ["127.0.0.1:{servers.http_port}"]}}
channels: {{team: {{type: slack, webhook_env: WEBHOOK}}}}
alerts: [{{name: any, rule: match, topics: [efficiency], cooldown: 0s}}]
feeds: [{{name: {FEED}, url: "{servers.feed_urls[FEED]}"}}]
""")
    return load(path, OnnxClassifier.open().topics)


async def measure(folder: Path) -> list[float]:
    """Return the seconds from fetch to arrival of each item."""
    with serve([news(0, 0)], wiring.utc_now()) as servers:
        config = configuration(folder, servers)
        secret = secret_reader({"WEBHOOK": servers.webhook_url})
        async with wiring.running(config, secret) as system:
            fetcher = TimedFetcher(config.fetch, "benchmark")
            daemon = Daemon(replace(system, fetcher=fetcher), lambda: config)
            running = asyncio.create_task(daemon.run())
            await asyncio.sleep(5)  # the model is loaded, and the first answer stored
            servers.set_round(1)
            seconds = [await one(number, servers, fetcher) for number in range(1, ITEMS + 1)]
            daemon.bells.stop.set()
            await running
            await fetcher.aclose()
    return seconds


async def one(number: int, servers: DemoServers, fetcher: TimedFetcher) -> float:
    """Publish an item and wait for its message."""
    servers.rows = [*servers.rows, news(number, 1)]
    while len(servers.posts) < number:  # noqa: ASYNC110 - the server keeps what it gets in a list, in another thread
        await asyncio.sleep(0.002)
    return time.perf_counter() - fetcher.brought


def main() -> None:
    """Measure, and print the table."""
    logs.configure("error")
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(measure(Path(folder)))
    print(f"{ITEMS} items, fetch to arrival, of the goal of {GOAL_SECONDS:g} s")
    for name, value in (("median", statistics.median(seconds)), ("slowest", max(seconds))):
        print(f"  {name:8} {value:6.3f} s   {value / GOAL_SECONDS:6.1%}")


if __name__ == "__main__":
    main()
