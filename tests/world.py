"""A small world for the whole program: feeds, a mail server and a webhook on loopback, and a feeds.yaml for them."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
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


_SYLLABLES = ("ba", "de", "fi", "go", "lu", "me", "no", "pa", "ri", "su", "ta", "ve", "wo", "xi", "zu", "ka")
_MODELS = ("chat", "vision", "speech", "code", "translation", "search", "reasoning", "video", "music", "weather")
_NEWS = (
    "{name} trains its {model} model at one thirtieth of the cost",
    "Inference prices fall by {number} percent as {name} distils its {model} model",
    "{name}: quantised {model} model needs {number} percent less compute",
    "Sparse attention lets {name} serve its {model} model {number} percent cheaper",
    "{name} halves the GPU hours of its {model} model by mixture of experts",
    "Token prices of the {model} model by {name} cut to {number} cents",
    "{name} shrinks its {model} model to {number} million parameters without loss of quality",
)


def sure(number: int, round_: int = 1) -> Row:
    """Build an item that carries efficiency beyond doubt; most numbers are different stories."""
    name = (_SYLLABLES[number % 16] + _SYLLABLES[(number // 16 + number * 7) % 16]).capitalize()
    news = _NEWS[(number // 3 + number) % len(_NEWS)]
    return row(news.format(name=name, model=_MODELS[number % len(_MODELS)], number=11 + number * 7 % 83), round_)


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
  - {{name: any, rule: match, topics: [efficiency], cooldown: 0s}}
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
    with _killed(_start(config, servers, "-m", "monitor")) as process:
        yield process


_LOADED = """
import sys, monitor.daemon, monitor.cli.working
if sys.stdin.readline():
    from monitor.cli import main
    main()
"""


class Daemons:
    """Daemons one after the other, each loaded while the one before it works: that is most of the time of a start."""

    def __init__(self, config: Path, servers: DemoServers) -> None:
        self._load = partial(_start, config, servers, "-c", _LOADED, stdin=subprocess.PIPE)
        self._loaded = self._load()

    @contextmanager
    def next(self) -> Iterator[None]:
        """Run one while the block lasts."""
        with _killed(self._loaded) as process:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.close()
            self._loaded = self._load()
            yield

    def close(self) -> None:
        """Let go of the one that is loaded."""
        self._loaded.communicate()


def _start(config: Path, servers: DemoServers, *how: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, *how, "run", "--config", str(config)]
    with (config.parent / "daemon.log").open("a") as log:
        return subprocess.Popen(command, env=environment(servers), stdout=log, stderr=log, text=True, **options)


@contextmanager
def _killed(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
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


def make_deliveries_due(config: Path) -> None:
    """Let the messages that wait for another attempt be sent by the next daemon at once."""
    with closing(sqlite3.connect(config.parent / "signals.db")) as db, db:
        db.execute("UPDATE deliveries SET next_try = '2000-01-01T00:00:00Z' WHERE state = 'pending'")
