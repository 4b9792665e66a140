"""What does polling cost, beside other readers? ``python -m benchmarks.polling``.

A process of its own plays the origin servers: feeds of about 40 kB with 25 entries, each on an address of its own.
Our pipeline (store, fetcher, parse worker, log; no classifier) and the readers that are installed poll them in turn,
through the same scenarios. Counted are processor seconds, user and system, of a program and its children. Ours and
`reader` are running already; newsboat and rss2email start for every poll and load what they have stored, and how much
of their cost that is stands beside it. ``--profile SCENARIO`` prints where the event loop's time goes instead.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.polling_peers import Cost, FailedError, Program, installed

TITLES = {
    "first": "first poll",
    "304": "all 304",
    "same": "same body with 200",
    "date": "only lastBuildDate changed",
    "new": "two new entries each",
    "latency": "304 after 50 to 300 ms",
}
"""The scenarios, in the order in which they are played: 304 needs the validators that ``same`` takes away."""
SETTLED = {"304", "latency"}
"""Before these every program polls once more, uncounted: newsboat keeps validators only from its second poll on."""
CPU_GOALS = {"first": 18.0, "304": 0.6, "same": 0.8, "date": 1.6, "new": 5.0}
"""Processor seconds per 1,000 feeds."""
WALL_GOAL = 10.0
"""Seconds for 1,000 feeds that answer after 50 to 300 ms."""
STORED_GOAL = 0.025
"""Seconds from the last byte of a document to its stored items, 95th percentile."""
MEMORY_GOAL = 64.0
"""Megabytes that polling adds to an empty start."""


@dataclass
class Ours:
    """Our pipeline in its process."""

    process: "subprocess.Popen[str]"
    name: str = "ours"
    told: dict[str, Any] = field(default_factory=dict)

    def poll(self) -> Cost:
        """Poll all feeds at once."""
        told = self.ask("poll")
        return Cost(told["thread"] + told["others"] + told["children"], told["clock"])

    def ask(self, command: str) -> dict[str, Any]:
        """Have a command carried out, and return its answer, which is also kept as ``told``."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(command, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise FailedError("our own process ended; its log is above")
        self.told = json.loads(answer)
        return self.told


@dataclass
class Results:
    """What was measured: costs by scenario and program, how ours divide, and what went otherwise than meant."""

    feeds: int
    costs: dict[tuple[str, str], Cost] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def note(self, scenario: str, program: Program, cost: Cost) -> None:
        """Keep a cost per 1,000 feeds if it is the least of all rounds."""
        key, per = (scenario, program.name), 1000 / self.feeds
        if key in self.costs and self.costs[key].cpu <= cost.cpu * per:
            return
        self.costs[key] = Cost(cost.cpu * per, cost.wall * per, cost.start * per)
        if isinstance(program, Ours):
            self.shares[scenario] = {name: program.told[name] * per for name in ("thread", "others", "children")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    chosen = _options(arguments)
    with tempfile.TemporaryDirectory() as name, origins(chosen.feeds + 1) as urls:
        folder = Path(name)
        with ours(folder / "ours.db", urls, folder / "log") as program:
            if chosen.profile:
                print(profile(program, urls[0], chosen.profile))
                return 0
            peers, missing = ([], []) if chosen.no_peers else installed(folder, urls, chosen.reader_python)
            results = Results(chosen.feeds, remarks=missing)
            programs = [program, *peers]
            for scenario in [one for one in TITLES if one in {"first", *chosen.scenarios}]:
                play(scenario, programs, urls[0], 1 if scenario == "first" else chosen.rounds, results)
            print_costs(results, [one.name for one in programs])
            print_ours(results, program, urls[0])
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polling", description="Measure what polling costs.")
    parser.add_argument("--feeds", type=int, default=200, metavar="N")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="of each scenario; the cheapest counts")
    parser.add_argument(
        "--scenarios",
        type=lambda text: text.split(","),
        default=list(TITLES),
        metavar="A,B",
        help=f"of {','.join(TITLES)}; `first` is always played",
    )
    parser.add_argument("--no-peers", action="store_true", help="measure only ours")
    parser.add_argument("--reader-python", type=Path, metavar="PATH", help="a Python that has the library `reader`")
    parser.add_argument("--profile", choices=list(TITLES), help="print what the event loop's time goes to")
    return parser.parse_args(arguments)


@contextmanager
def origins(count: int) -> Iterator[list[str]]:
    """Run the origin servers; yields the feeds' URLs."""
    with _python("benchmarks.polling_server", str(count), stderr=None) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


@contextmanager
def ours(database: Path, urls: Sequence[str], log: Path) -> Iterator[Ours]:
    """Run our pipeline on these feeds."""
    with log.open("w+") as lines, _python("benchmarks.polling_ours", str(database), stderr=lines) as process:
        assert process.stdin is not None
        print(json.dumps(urls), file=process.stdin, flush=True)
        try:
            yield Ours(process)
        except FailedError:
            lines.seek(0)
            print(lines.read()[-3000:], file=sys.stderr)
            raise


@contextmanager
def _python(module: str, argument: str, stderr: Any) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", module, argument]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
    ) as process:  # leaving it closes the standard input, and that ends it
        yield process


def control(url: str, path: str) -> Any:
    """Ask the origin servers, at any of their addresses, for something else than the feed."""
    with urlopen(url.removesuffix("/feed") + path, timeout=60) as answer:
        return json.load(answer)


def play(scenario: str, programs: Sequence[Program], url: str, rounds: int, results: Results) -> None:
    """Have every program poll in one scenario."""
    for _ in range(rounds):
        control(url, f"/scenario/{scenario}")
        for program in programs:
            print(f"{TITLES[scenario]}: {program.name}", file=sys.stderr)
            if scenario in SETTLED:
                program.poll()
                control(url, "/counts")
            results.note(scenario, program, program.poll())
            _check(scenario, program, control(url, "/counts"), results)


def _check(scenario: str, program: Program, counts: dict[str, int], results: Results) -> None:
    """Remark where the server did not answer every feed once as the scenario means it."""
    meant = {"304" if scenario in {"304", "latency"} else "200": results.feeds}
    if counts != meant:
        results.remarks.append(f"{program.name}, {TITLES[scenario]}: the servers answered {counts}, not {meant}")
    if isinstance(program, Ours) and program.told["errors"]:
        errors = program.told["errors"]
        results.remarks.append(f"ours, {TITLES[scenario]}: {len(errors)} polls failed: {errors[0]}")


def profile(program: Ours, url: str, scenario: str) -> str:
    """Play one scenario under the profiler and return its table."""
    if scenario != "first":
        program.poll()
        control(url, f"/scenario/{scenario}")
    told = program.ask("profile")
    shares = f"event loop {told['thread']:.2f} s, other threads {told['others']:.2f} s, worker {told['children']:.2f} s"
    return (
        f"{TITLES[scenario]}, {len(told['done'])} feeds, processor seconds with the profiler: {shares}\n{told['text']}"
    )


def print_costs(results: Results, programs: Sequence[str]) -> None:
    """Print the table of all programs: processor seconds, and how many times ours that is."""
    print(f"{results.feeds:,} feeds, Python {platform.python_version()}; per 1,000 feeds:\n")
    print(f"{'processor seconds':28}{'goal':>7}" + "".join(f"{name:>28}" for name in programs))
    for scenario in [one for one in TITLES if (one, "ours") in results.costs]:
        goal = CPU_GOALS.get(scenario)
        costs = [results.costs[scenario, program] for program in programs]
        starts = [f"; start {cost.start:.1f}" if cost.start else "" for cost in costs]
        print(f"{TITLES[scenario]:28}{goal or '':>7}" + _row([cost.cpu for cost in costs], goal, starts))
    if ("latency", "ours") in results.costs:
        walls = [results.costs["latency", program].wall for program in programs]
        print(f"\n{'seconds on the clock':28}\n{TITLES['latency']:28}{WALL_GOAL:>7}", end="")
        print(_row(walls, WALL_GOAL, [""] * len(walls)))
    print("\n".join(["", *results.remarks]))


def _row(values: Sequence[float], goal: float | None, remarks: Sequence[str]) -> str:
    """Write ours with its verdict, and each of the others with how many times ours it is and a remark."""
    own = f"{values[0]:.2f} {verdict(values[0], goal)}" if goal else f"{values[0]:.2f}"
    others = zip(values[1:], remarks[1:], strict=True)
    told = [own, *(f"{value:.2f} ({value / values[0]:.1f}×{remark})" for value, remark in others)]
    return "".join(f"{one:>28}" for one in told)


def verdict(value: float, goal: float) -> str:
    """Say whether a goal is met."""
    return "met" if value <= goal else f"missed ({value / goal:.1f}×)"


def print_ours(results: Results, program: Ours, url: str) -> None:
    """Print how our processor seconds divide, and what else has a goal."""
    print(f"{'ours, processor seconds':28}{'event loop':>14}{'other threads':>16}{'parse worker':>16}")
    for scenario, shares in results.shares.items():
        print(f"{TITLES[scenario]:28}{shares['thread']:>14.2f}{shares['others']:>16.2f}{shares['children']:>16.2f}")
    print(f"\n{'last byte to stored items':28}{'median':>11}{'95 %':>11}   goal {STORED_GOAL * 1000:g} ms at 95 %")
    for title, scenario, command in (("one feed at a time", "new", "single"), ("all, 50 to 300 ms", "load", "poll")):
        seconds = until_stored(program, url, scenario, command)
        median, high = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
        print(f"{title:28}{median * 1000:>8.1f} ms{high * 1000:>8.1f} ms   {verdict(high, STORED_GOAL)}")
    memory = program.ask("memory")
    added = memory["added"] + memory["worker"]
    print(f"\nlargest memory: {memory['added']:.0f} MB more than the {memory['empty']:.0f} MB of an empty start, parse")
    print(f"workers {memory['worker']:.0f} MB: {added:.0f} MB, goal {MEMORY_GOAL:g} MB, {verdict(added, MEMORY_GOAL)}")


def until_stored(program: Ours, url: str, scenario: str, command: str) -> list[float]:
    """Return for each feed the seconds from when its document had arrived until its items were stored."""
    control(url, f"/scenario/{scenario}")
    done = program.ask(command)["done"]
    sent = control(url, "/sent")
    return [moment - sent[feed] for feed, moment in done.items()]


if __name__ == "__main__":
    sys.exit(main())
