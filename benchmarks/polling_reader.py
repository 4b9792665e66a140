"""One poll with the library `reader`, run by a Python that has it: ``python polling_reader.py DATABASE URLS``.

URLS is a file with one address a line; the last one is only there to warm up on. Prints a line of JSON: version,
processor seconds, seconds. Adding the feeds and loading the library do not count.
"""

import json
import sys
import time
from pathlib import Path

import reader  # type: ignore[import-not-found, unused-ignore] # installed where this runs, not where it is checked

WORKERS = 32


def main(database: str, urls: str) -> None:
    """Add the feeds that are new, poll all, and print what it took."""
    *feeds, warm_up = Path(urls).read_text().split()
    with reader.make_reader(database) as ours:
        ours.add_feed(warm_up, exist_ok=True)
        ours.update_feed(warm_up)
        ours.disable_feed_updates(warm_up)
        for feed in feeds:
            ours.add_feed(feed, exist_ok=True)
        processor, clock = time.process_time(), time.monotonic()
        ours.update_feeds(workers=WORKERS, scheduled=False)
        cost = {"cpu": time.process_time() - processor, "wall": time.monotonic() - clock}
        ours.enable_feed_updates(warm_up)
    print(json.dumps({"version": reader.__version__, **cost}))


if __name__ == "__main__":
    main(*sys.argv[1:])
