"""A small world for the whole program: feeds, a mail server and a webhook on loopback, and a feeds.yaml for them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor.demo.scenario import Row
from monitor.demo.servers import DemoServers
from storage import reading
from storage.errors import StorageError

FEED = "The Inference Desk"
SURE = "New model matches the frontier at one thirtieth of the training cost, cutting inference prices by 90 percent"
"""A title that any tagger of efficiency news must catch."""


def row(title: str, round_: int, day: float = 0.01, feed: str = FEED) -> Row:
    """Build an item of a feed; ``day`` is its age in days."""
    return Row(feed, day, title, "", "en", (), round_)


def sure(number: int, round_: int = 1) -> Row:
    """Build an item that carries efficiency beyond doubt, different for each number."""
    return row(f"{SURE}, says laboratory number {number}", round_)


def write_config(folder: Path, servers: DemoServers, feeds: Sequence[str] = (FEED,), extra: str = "") -> Path:
    """Write a feeds.yaml that polls every second and tells mail and webhook of every efficiency item."""
    lines = "".join(f"  - {{name: {name!r}, url: '{servers.feed_urls[name]}'}}\n" for name in feeds)
    path = folder / "feeds.yaml"
    path.write_text(
        f"""
poll: {{every: 1s}}
fetch: {{allow: ["127.0.0.1:{servers.http_port}"]}}
channels:
  desk: {{type: email, host: 127.0.0.1, port: {servers.smtp_port}, security: none,
         from: monitor@test.example, to: [analyst@test.example]}}
  team: {{type: slack, webhook_env: TEST_WEBHOOK}}
alerts:
  - {{name: any, rule: match, topics: [efficiency]}}
{extra}
feeds:
{lines}"""
    )
    return path


def environment(servers: DemoServers) -> dict[str, str]:
    """Return the environment of a monitor that may post to the webhook.

    It may keep its bytecode, as everywhere else: without, each start takes two seconds longer.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "TEST_WEBHOOK": servers.webhook_url}


def monitor(config: Path, servers: DemoServers, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    command = [sys.executable, "-m", "monitor", *arguments, "--config", str(config)]
    return subprocess.run(
        command, env=environment(servers), capture_output=True, text=True, timeout=60, check=False, **options
    )


@contextmanager
def daemon(config: Path, servers: DemoServers) -> Iterator[subprocess.Popen[str]]:
    """Run the daemon while the block lasts; its log goes to daemon.log beside the configuration."""
    command = [sys.executable, "-m", "monitor", "run", "--config", str(config)]
    with (config.parent / "daemon.log").open("a") as log:
        process = subprocess.Popen(command, env=environment(servers), stdout=log, stderr=log, text=True)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()


def until(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Wait until a condition holds, and return what it returned."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.05)
    return result


def ask(config: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the database beside a configuration; no rows while there is no database yet."""
    path = config.parent / "signals.db"
    try:
        return reading.ask(path, sql).rows
    except StorageError:  # the daemon is just making it
        return []
