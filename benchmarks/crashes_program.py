"""The program that `benchmarks.crashes` kills: it raises alerts and sends them, through the real parts."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.crashes_servers import World
from monitor import logs, pipeline, wiring
from monitor.config import Config, load, secret_reader
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.system import System
from storage.alert_records import Finding, Raised
from storage.store import Store

HEALTHY = ("desk", "team", "machine", "record")
SECRETS = {"SECRET": "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}


def configuration(folder: Path, world: World) -> Config:
    """Write and read a feeds.yaml with all kinds of channels."""
    path = folder / "feeds.yaml"
    path.write_text(f"""
fetch: {{allow: ["127.0.0.1:{world.http_port}"]}}
log: {{level: error}}
channels:
  desk: {{type: email, host: 127.0.0.1, port: {world.smtp_port}, security: none, from: m@a.example, to: [b@a.example]}}
  team: {{type: slack, webhook_env: SLACK}}
  machine: {{type: webhook, url: "http://127.0.0.1:{world.http_port}/machine", secret_env: SECRET}}
  record: {{type: file, path: alerts.jsonl}}
  gone: {{type: email, host: 127.0.0.1, port: 1, security: none, from: m@a.example, to: [b@a.example]}}
feeds: [{{name: Wire, url: "https://wire.example/feed"}}]
""")
    return load(path, OnnxClassifier.open().topics)


def finding(number: int) -> Finding:
    """Return a finding that can be recognised in every form of its message."""
    words = f"This is alert number {number} of the benchmark."
    return Finding("crash", "match", f"crash:{number}", "info", "efficiency", words, words, (*HEALTHY, "gone"))


def work(folder: Path, ports: Mapping[str, int], run: int, drain: bool) -> None:
    """Raise alerts and send what is due, until killed; or, with ``drain``, until nothing waits."""
    logs.configure("error", "text")
    asyncio.run(_work(folder, World(random.Random(0), ports["smtp_port"], ports["http_port"]), run, drain))


async def _work(folder: Path, world: World, run: int, drain: bool) -> None:
    config = configuration(folder, world)
    read_secret = secret_reader({**SECRETS, "SLACK": f"http://127.0.0.1:{world.http_port}/team"})
    # Two hours pass between two runs, so that what failed is due again.
    begun = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=2 * run)
    with Store(config.database) as store:
        system = wiring.build(config, store, OnnxClassifier.open(), read_secret)
        if drain:
            await _drain(replace(system, now=lambda: begun + timedelta(days=1)))
            return
        system = replace(system, now=lambda: begun)
        for number in range(run * 1000, run * 1000 + 1000):
            await store.save_judgement([], [Raised(finding(number))], [], 0, system.now())
            if number % 3 == 0:
                await pipeline.deliver(system)
            await asyncio.sleep(0.02)


async def _drain(system: System) -> None:
    while await pipeline.deliver(system):
        pass
