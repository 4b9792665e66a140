"""What a process and its children have used so far: processor seconds and memory, for the polling benchmark.

The parse worker lives as long as its parent, so getrusage does not know it yet; /proc or ps does.
"""

import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_LINUX = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds (user and system): of this thread, of the other threads, of all children so far; and when."""

    thread: float
    others: float
    children: float
    clock: float

    @property
    def total(self) -> float:
        """Return all processor seconds together."""
        return self.thread + self.others + self.children

    def __sub__(self, before: "Usage") -> "Usage":
        return Usage(
            self.thread - before.thread,
            self.others - before.others,
            self.children - before.children,
            self.clock - before.clock,
        )


def usage() -> Usage:
    """Return what was used until now."""
    thread = time.thread_time()
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = sum(_seconds(child) for child in _children())
    return Usage(thread, time.process_time() - thread, ended.ru_utime + ended.ru_stime + alive, time.monotonic())


def peak_megabytes() -> tuple[float, float]:
    """Return the largest resident memory so far: of this process, and of its living children together."""
    return _peak(os.getpid()), sum(_peak(child) for child in _children())


def allow_many_files() -> None:
    """Raise the number of files that may be open to what the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_000 if hard == resource.RLIM_INFINITY else min(10_000, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _children() -> list[int]:
    if _LINUX:
        lists = Path("/proc/self/task").glob("*/children")
        return [int(child) for file in lists for child in file.read_text().split()]
    rows = (line.split() for line in _ps("-A", "-o", "pid=,ppid=,comm=").splitlines())
    return [int(row[0]) for row in rows if row[1] == str(os.getpid()) and not row[2].endswith("ps")]


def _seconds(process: int) -> float:
    if _LINUX:
        user, system = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    parts = _ps("-o", "time=", "-p", str(process)).strip().split(":")
    return float(sum(float(part) * 60**place for place, part in enumerate(reversed(parts))))


def _peak(process: int) -> float:
    if _LINUX:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000
    return int(_ps("-o", "rss=", "-p", str(process))) / 1000  # its present size: ps knows no peak


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=True).stdout
