"""Kill the program at random moments while alerts are raised and sent: `python -m benchmarks.crashes --runs 200`.

Each run forks a process that raises alerts and delivers them through the real store, pipeline and channels (mail,
Slack, a signed webhook, a file, and one channel whose server is gone), against servers that are slow, busy, broken or
hang up; and kills it (SIGKILL) within a second. At the end the servers heal, and one process works until nothing waits.

What is counted: alerts of the database that did not arrive at a healthy channel (the goal is none); and messages that
arrived more than once without a reason. There are two: the server's answer was lost, or a kill fell between the
message's arrival and the next attempt, shortly after it: between answer and commit.
"""

import argparse
import json
import multiprocessing
import random
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from multiprocessing.context import ForkServerContext
from pathlib import Path

from benchmarks.crashes_program import HEALTHY, work
from benchmarks.crashes_servers import Arrival, World, serve
from monitor.alerts.undelivered import KIND

GOAL_RUNS = 200
LONGEST_RUN = 0.8
A_COMMIT = 0.25
"""Seconds after an arrival within which a kill can have kept its note from being written."""
ON_ITS_WAY = 0.1
"""Seconds that a message may lie at the server before its reception begins: its sender may be dead by then."""


def kill_again_and_again(folder: Path, world: World, runs: int, luck: random.Random) -> list[float]:
    """Run the program so many times, each killed at a random moment. Returns those moments."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.crashes_program"])
    ports = {"smtp_port": world.smtp_port, "http_port": world.http_port}
    kills = []
    for run in range(runs):
        process = context.Process(target=work, args=(folder, ports, run, False))
        process.start()
        _await_first_alert(folder, run)
        time.sleep(luck.uniform(0, LONGEST_RUN))
        process.kill()
        kills.append(time.time())
        process.join()
    world.healing = True
    _finish(context, folder, ports, runs)
    return kills


def _await_first_alert(folder: Path, run: int) -> None:
    """Wait until the process has begun to work: a kill of its start would test nothing."""
    path = folder / "signals.db"
    for _ in range(400):
        time.sleep(0.02)
        if path.exists() and _ask(path, "SELECT count(*) FROM alerts WHERE key LIKE ?", f"crash:{run}%"):
            return
    raise RuntimeError("the program did not begin to work within eight seconds")


def _finish(context: ForkServerContext, folder: Path, ports: Mapping[str, int], runs: int) -> None:
    process = context.Process(target=work, args=(folder, ports, runs, True))
    process.start()
    process.join(300)
    if process.exitcode != 0:
        raise RuntimeError(f"the last run ended with {process.exitcode}")


def _ask(path: Path, sql: str, *values: object) -> int:
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return int(db.execute(sql, values).fetchone()[0])
    except sqlite3.OperationalError:  # there is no table yet
        return 0
    finally:
        db.close()


def from_file(folder: Path) -> list[Arrival]:
    """Read what the channel `record` wrote; a line that a kill cut short is no message."""
    arrivals = []
    for line in (folder / "alerts.jsonl").read_text().splitlines():
        try:
            data = json.loads(line)
        except ValueError:
            continue
        if data["rule"] == KIND:
            continue
        number = int(str(data["headline"]).split("number ")[1].split()[0])
        arrivals.append(Arrival("record", number, 0.0, 0.0, str(data["alert_id"]), lost=False))
    return arrivals


def missing(folder: Path, arrivals: Sequence[Arrival]) -> list[tuple[str, int]]:
    """Return the alerts of the database that a healthy channel has not got."""
    with sqlite3.connect(folder / "signals.db") as db:
        raised = [int(key.split(":")[1]) for (key,) in db.execute("SELECT key FROM alerts WHERE kind = 'match'")]
    db.close()
    there = {(arrival.channel, arrival.alert) for arrival in arrivals}
    return [(channel, alert) for channel in HEALTHY for alert in raised if (channel, alert) not in there]


def repeated(arrivals: Sequence[Arrival], kills: Sequence[float]) -> tuple[int, int, list[Arrival]]:
    """Count repetitions: those after a lost answer, those after a kill, and those that nothing explains."""
    by_message: dict[tuple[str, int], list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_message[arrival.channel, arrival.alert].append(arrival)
    lost, killed, unexplained = 0, 0, []
    for same in by_message.values():
        # In the order in which they were asked for: a slow server notes them when it has taken them.
        for before, after in pairwise(sorted(same, key=lambda arrival: arrival.begun)):
            if before.lost:
                lost += 1
            elif _killed_after(before, kills):
                killed += 1
            else:
                unexplained.append(after)
    return lost, killed, unexplained


def _killed_after(arrival: Arrival, kills: Sequence[float]) -> bool:
    if arrival.channel == "record":  # nobody saw when the file was written
        return True
    return any(arrival.begun - ON_ITS_WAY <= kill <= arrival.at + A_COMMIT for kill in kills)


def main() -> None:
    """Run, count and print. Exits 1 when an alert is missing, or repeated without a reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=GOAL_RUNS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, serve(options.seed) as world:
        folder = Path(name)
        kills = kill_again_and_again(folder, world, options.runs, random.Random(options.seed))
        arrivals = [*world.arrivals, *from_file(folder)]
        gone, (lost, killed, unexplained) = missing(folder, arrivals), repeated(arrivals, kills)
        alerts = _ask(folder / "signals.db", "SELECT count(*) FROM alerts WHERE kind = 'match'")
    print(f"{options.runs} kills, {alerts} alerts, {len(arrivals)} messages at {len(HEALTHY)} healthy channels")
    print("what the servers did:", ", ".join(f"{kind} {n}" for kind, n in sorted(world.faults.items())))
    print(f"missing: {len(gone)} {gone[:5]}")
    print(f"repeated: {lost} after a lost answer, {killed} after a kill, {len(unexplained)} without a reason")
    names = {(a.channel, a.alert): a.identity for a in arrivals}
    other = [a for a in arrivals if a.identity != names[a.channel, a.alert] and a.channel != "record"]
    print(f"repetitions under another name: {len(other)}")
    raise SystemExit(bool(gone or unexplained or other))


if __name__ == "__main__":
    main()
