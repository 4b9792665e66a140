"""Other feed readers in the polling benchmark: newsboat, the library `reader`, and rss2email.

Each is a program with a folder of its own and one method, ``poll``, which asks all feeds once. What a program that
starts anew for every poll needs to start, and to load what it has stored, is measured as well and told beside.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

_THREADS = 32
_READER_SCRIPT = Path(__file__).with_name("polling_reader.py")


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of a poll of all feeds, how long it took, and the processor seconds in it of the start."""

    cpu: float
    wall: float
    start: float = 0.0


class Program(Protocol):
    """Something that polls. ``name`` includes its version."""

    @property
    def name(self) -> str:
        """Name it."""
        ...

    def poll(self) -> Cost:
        """Ask all feeds once."""
        ...


class MissingError(Exception):
    """A program that is not installed, and how to install it."""


class FailedError(Exception):
    """A program that ended with an error, and what it said."""


@dataclass(frozen=True, slots=True)
class Newsboat:
    """newsboat, with as many threads as it is given; its start is that of printing the number of unread items."""

    name: str
    folder: Path

    @classmethod
    def begin(cls, folder: Path, urls: Sequence[str]) -> "Newsboat":
        """Write its files. MissingError when it is not installed."""
        _find("newsboat")
        (folder / "urls").write_text("\n".join(urls[:-1]) + "\n")
        (folder / "config").write_text(f"reload-threads {_THREADS}\nmax-items 0\nshow-read-feeds yes\n")
        version = _output(["newsboat", "-v"], folder).split()[1]
        return cls(f"newsboat {version}", folder)

    def poll(self) -> Cost:
        """Reload all feeds."""
        files = ["newsboat", "-u", "urls", "-C", "config", "-c", "cache.db"]
        return _with_start([*files, "-x", "reload"], [*files, "-x", "print-unread"], self.folder)


@dataclass(frozen=True, slots=True)
class ReaderLibrary:
    """The library `reader` in a virtual environment, with as many threads as it is given; it measures itself."""

    name: str
    folder: Path
    python: Path

    @classmethod
    def begin(cls, folder: Path, urls: Sequence[str], python: Path | None) -> "ReaderLibrary":
        """Write its files. MissingError when that Python does not have it."""
        if python is None:
            raise MissingError(
                "reader is left out: name a Python that has it (pip install reader sgmllib3k): --reader-python"
            )
        asked = subprocess.run(
            [python, "-c", "import reader; print(reader.__version__)"], capture_output=True, text=True, check=False
        )
        if asked.returncode:
            raise MissingError(f"reader is left out: {python} does not have it (pip install reader sgmllib3k)")
        (folder / "urls").write_text("\n".join(urls))
        return cls(f"reader {asked.stdout.strip()}", folder, python)

    def poll(self) -> Cost:
        """Update all feeds."""
        told = json.loads(_output([str(self.python), str(_READER_SCRIPT), "reader.db", "urls"], self.folder))
        return Cost(told["cpu"], told["wall"])


@dataclass(frozen=True, slots=True)
class Rss2email:
    """rss2email, which asks one feed after the other; its start is that of listing its feeds."""

    name: str
    folder: Path

    @classmethod
    def begin(cls, folder: Path, urls: Sequence[str]) -> "Rss2email":
        """Write its files. MissingError when it is not installed."""
        _find("r2e", "rss2email")
        feeds = "".join(f"[feed.site-{number}]\nurl = {url}\n\n" for number, url in enumerate(urls[:-1]))
        (folder / "config").write_text(f"[DEFAULT]\nto = nobody@example.org\n\n{feeds}")
        return cls(f"rss2email {_output(['r2e', '--version'], folder).split()[-1]}", folder)

    def poll(self) -> Cost:
        """Run it without sending mail."""
        files = ["r2e", "-c", "config", "-d", "data.json"]
        return _with_start([*files, "run", "--no-send"], [*files, "list"], self.folder)


def installed(folder: Path, urls: Sequence[str], reader_python: Path | None) -> tuple[list[Program], list[str]]:
    """Return the programs that are installed, ready to poll these feeds, and why others are left out."""
    ways: dict[str, Callable[[Path], Program]] = {
        "newsboat": lambda own: Newsboat.begin(own, urls),
        "reader": lambda own: ReaderLibrary.begin(own, urls, reader_python),
        "rss2email": lambda own: Rss2email.begin(own, urls),
    }
    found: list[Program] = []
    missing: list[str] = []
    for name, begin in ways.items():
        (folder / name).mkdir()
        try:
            found.append(begin(folder / name))
        except MissingError as error:
            missing.append(str(error))
    return found, missing


def _find(program: str, package: str | None = None) -> None:
    if shutil.which(program) is None:
        package = package or program
        raise MissingError(f"{package} is left out: it is not installed (on Debian: apt install {package})")


def _with_start(poll: list[str], start: list[str], folder: Path) -> Cost:
    """Return what a poll costs, and what of it is only to start with the same files."""
    only, whole = _cost(start, folder), _cost(poll, folder)
    return replace(whole, start=only.cpu)


def _cost(command: list[str], folder: Path) -> Cost:
    began = time.monotonic()
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, cwd=folder, env=_home(folder), stdout=log, stderr=log, stdin=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            raise FailedError(f"{' '.join(command)}: {log.read()[-500:].strip()}")
    return Cost(used.ru_utime + used.ru_stime, time.monotonic() - began)


def _output(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, env=_home(folder), capture_output=True, text=True, check=False)
    if done.returncode:
        raise FailedError(f"{' '.join(command)}: {done.stderr[-500:].strip()}")
    return done.stdout


def _home(folder: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(folder), "TERM": "dumb"}
