"""Plays the scenario: the real pipeline on invented feeds, with mail and Slack going to servers of the demo's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from monitor import pipeline, wiring
from monitor.config import load, secret_reader
from monitor.demo.scenario import load as load_scenario
from monitor.demo.servers import DemoServers, serve
from monitor.errors import MonitorError
from monitor.instance import only_instance
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.system import System

ROUNDS = (
    "Six weeks of backlog: every feed's first answer. It teaches what is normal, and raises no alert.",
    "A quiet day: a few new items, as always.",
    "Something happens: a small lab trains a frontier model for a thirtieth of the usual cost.",
)
HEADER = "# The demo's configuration."
FILES = ("feeds.yaml", "signals.db", "signals.db-wal", "signals.db-shm", "alert.eml", "alert.json")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Played:
    """Where the demo left its configuration, its mail and its Slack message."""

    config: Path
    mail: Path
    post: Path


async def play(folder: Path, tell: Tell) -> Played:
    """Play all rounds; what it makes is kept in ``folder``. Raises MonitorError when no alert arrives."""
    with only_instance(folder / "signals.db"):
        return await _play(folder, tell)


async def _play(folder: Path, tell: Tell) -> Played:
    _clear(folder)
    with serve(load_scenario(), wiring.utc_now()) as servers:
        path = folder / "feeds.yaml"
        path.write_text(_configuration(servers), encoding="utf-8")
        secrets = {"DEMO_WEBHOOK": servers.webhook_url}
        config = load(path, OnnxClassifier.open().topics, need_secrets=True, environ=secrets)
        async with wiring.running(config, secret_reader(secrets)) as system:
            for number, title in enumerate(ROUNDS):
                tell(f"\n{number + 1}. {title}")
                servers.set_round(number)
                await _round(system, tell)
    return _keep(folder, servers)


def _clear(folder: Path) -> None:
    """Make the folder, and remove what an earlier demo left in it. Raises MonitorError when it is somebody else's."""
    folder.mkdir(parents=True, exist_ok=True)
    there = [folder / name for name in FILES if (folder / name).exists()]
    config = folder / "feeds.yaml"
    if there and not (config.exists() and config.read_text(encoding="utf-8", errors="replace").startswith(HEADER)):
        raise MonitorError(f"{there[0]} is not from a demo; choose another --folder, or move it away")
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


async def _round(system: System, tell: Tell) -> None:
    new = await pipeline.once(system, await system.store.all_feeds())
    tell(f"   {new} new items read, tagged and grouped into stories")
    for topic, trend in (await system.store.latest_trends()).items():
        tell(f"   {topic:12} {trend.state:8} {trend.observed:3} stories in 24 hours, {trend.expected:.1f} expected")


def _keep(folder: Path, servers: DemoServers) -> Played:
    if not servers.mails or not servers.posts:
        raise MonitorError("the demo ended without an alert; please report this with the output above")
    played = Played(folder / "feeds.yaml", folder / "alert.eml", folder / "alert.json")
    played.mail.write_bytes(servers.mails[-1])
    played.post.write_text(json.dumps(servers.posts[-1], ensure_ascii=False, indent=1), encoding="utf-8")
    return played


def _configuration(servers: DemoServers) -> str:
    """Write the demo's feeds.yaml: what a user's looks like, with loopback addresses allowed."""
    feeds = "".join(f"  - name: {json.dumps(name)}\n    url: {url}\n" for name, url in servers.feed_urls.items())
    return f"""{HEADER} Its servers are gone; its database can still be asked.
database: signals.db
fetch:
  allow: ["127.0.0.1:{servers.http_port}"]
log: {{level: warning}}
channels:
  desk:
    type: email
    host: 127.0.0.1
    port: {servers.smtp_port}
    security: none
    from: monitor@demo.example
    to: [analyst@demo.example]
  team:
    type: slack
    webhook_env: DEMO_WEBHOOK
alerts:
  - name: surge
    rule: trend
feeds:
{feeds}"""
