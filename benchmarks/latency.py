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

ITEMS = 19
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


NEWS = (
    "Quantised chat model of Babelis needs a third of the memory",
    "Token prices cut by half at Nimbus after a new inference engine",
    "Distilled code assistant of Orrin runs on a laptop",
    "Sparse attention makes Kestrel's search model four times cheaper to serve",
    "Mixture of experts lets Tarn train with a tenth of the GPUs",
    "Pruned speech recogniser of Vela halves the compute it needs",
    "Juno trains its translation model for 200,000 dollars",
    "Open weights of Piran match the largest closed model at a fiftieth of the cost",
    "4-bit training works at scale, researchers of Oslo show",
    "Speculative decoding doubles the throughput of Maru's servers",
    "Small reasoning model of Lintel beats one twenty times its size",
    "Caching prompts cuts the inference bill of Harbor by 70 percent",
    "Weather model of Cirro runs on a single card instead of a supercomputer",
    "Low-rank adapters bring fine-tuning at Quill down to minutes",
    "Video generation on a phone: Sable shrinks its network to a gigabyte",
    "Batch scheduling squeezes 60 percent more tokens out of Dorado's old chips",
    "Protein folding at Ribon becomes a hundred times cheaper",
    "A recipe for training on consumer cards, published by Fjord",
    "Robot controller of Anvil learns from a hundredth of the data",
    "State space model of Tundra replaces attention and saves 80 percent of compute",
)
"""Stories of their own: what tells one story is one alert."""


def news(number: int, round_: int) -> Row:
    """Build an item that carries efficiency."""
    return Row(FEED, 0.01 if round_ else 21.0, NEWS[number], "", "en", (), round_)


def configuration(folder: Path, servers: DemoServers) -> Config:
    """Write and read a feeds.yaml that alerts on every efficiency item."""
    path = folder / "feeds.yaml"
    path.write_text(f"""
poll: {{every: 1s}}
fetch: {{allow: ["127.0.0.1:{servers.http_port}"]}}
channels: {{team: {{type: slack, webhook_env: WEBHOOK}}}}
topics: {{efficiency: {{threshold: 0.01}}}}
alerts: [{{name: any, rule: match, topics: [efficiency], min_probability: 0, cooldown: 0s}}]
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
