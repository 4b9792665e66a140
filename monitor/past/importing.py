"""Take archives in: read their files, bring all items into one order, store what is new, note what they cover."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

from monitor.errors import MonitorError
from monitor.feeds import language
from monitor.feeds.fresh import Identified, fresh, identify_all
from monitor.past.archive import Archived, Reading, Refused, outside, read_line, stretches
from storage.archive import PastItem
from storage.feed_records import Entry
from storage.store import Store

BATCH = 1000
STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Stored:
    """How many new items were stored, and the feeds of all items, new or known."""

    imported: int
    feeds: frozenset[int]


class Spool:
    """Holds any number of items on disk, and gives them back in order of publication.

    The order does not depend on that in which they were put in: items of the same second come by source and title.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._places: list[tuple[str, str, str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def add(self, item: Archived) -> None:
        """Put an item away."""
        entry = item.entry
        if entry.published is None:
            raise AssertionError("a line without a date is refused")
        published = entry.published
        self._places.append((published.isoformat(), item.source.casefold(), entry.title, self._file.tell()))
        fields = [item.source, entry.url, entry.title, entry.summary, entry.lang, published.isoformat()]
        self._file.write(json.dumps(fields).encode() + b"\n")

    def __iter__(self) -> Iterator[Archived]:
        self._places.sort()
        for *_, place in self._places:
            self._file.seek(place)
            source, url, title, summary, lang, published = json.loads(self._file.readline())
            yield Archived(source, Entry(None, url, title, summary, lang, datetime.fromisoformat(published)))


def by_declaration(declared: Mapping[str, str | None]) -> Callable[[str, str, str], str | None]:
    """Return how a line's language is found, as a feed's entry's is: its own word, its feed's, else its text's.

    ``declared`` maps the names of feeds, in lower case, to their languages.
    """

    def found(said: str, source: str, text: str) -> str | None:
        own = language.code(said) or language.code(declared.get(source.casefold()))
        return own or language.detect(text)

    return found


def count_lines(paths: Sequence[Path]) -> int:
    """Count the lines of these files that are not blank; those of standard input are not known before they come."""
    return sum(1 for path in paths if path != STANDARD_INPUT for _ in _lines(path))


def read_files(paths: Sequence[Path], reading: Reading, spool: Spool, refuse: Callable[[str], None]) -> Iterator[int]:
    """Put all items of these files into the spool; yield 1 for each line.

    ``refuse`` hears ``file:line: field: what is wrong``. Raises MonitorError when a file cannot be read. Its name,
    without endings, is the source of lines that name none.
    """
    for path in paths:
        named = replace(reading, source=_stem(path))
        for number, line in _lines(path):
            try:
                item = read_line(line, named)
            except Refused as error:
                refuse(f"{_name(path)}:{number}: {error}")
            else:
                spool.add(item)
            yield 1


def _name(path: Path) -> str:
    return "standard input" if path == STANDARD_INPUT else str(path)


def _stem(path: Path) -> str:
    return "archive" if path == STANDARD_INPUT else path.name.split(".")[0] or "archive"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number."""
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.removeprefix(b"\xef\xbb\xbf")
    except (OSError, EOFError, zlib.error) as error:
        raise MonitorError(f"{_name(path)} cannot be read to its end: {error}; nothing was imported") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
    elif path.suffix == ".gz":
        with gzip.open(path) as packed:
            yield packed  # type: ignore[misc]  # a GzipFile reads as bytes do
    else:
        with path.open("rb") as file:
            yield file


async def store_items(store: Store, spool: Spool, now: datetime, advance: Callable[[int], None]) -> Stored:
    """Store what is new, batch by batch, in order of publication."""
    imported, feeds = 0, dict[str, int]()
    everything = iter(spool)
    while batch := list(islice(everything, BATCH)):
        feeds |= await store.source_feeds(sorted({item.source for item in batch}), now)
        imported += await store.save_archive(await _new(store, batch, feeds))
        advance(len(batch))
    return Stored(imported, frozenset(feeds.values()))


async def _new(store: Store, batch: Sequence[Archived], feeds: Mapping[str, int]) -> list[PastItem]:
    """Return what of a batch is not known yet, in the batch's order."""
    by_feed: dict[int, list[Entry]] = {}
    for item in batch:
        by_feed.setdefault(feeds[item.source], []).append(item.entry)
    new: dict[int, PastItem] = {}
    for feed_id, entries in by_feed.items():
        identified = identify_all(entries)
        keys = sorted({key for one in identified for key in one.keys})
        known = await store.known_entries(feed_id, keys)
        for one in fresh(_not_told_by_title(identified, known), known):
            new[id(one.entry)] = PastItem(feed_id, one.entry, one.identity, one.keys)
    return [new[id(item.entry)] for item in batch if id(item.entry) in new]


def _not_told_by_title(identified: Sequence[Identified], known: Sequence[Entry]) -> list[Identified]:
    """Leave out the entries without a link whose title is known: archives often lack the links that a feed has."""
    titles = {one.facets.title for one in identify_all(known)}
    return [one for one in identified if one.entry.url or one.facets.title not in titles]


async def cover(store: Store, feed_ids: Iterable[int], zone: tzinfo, now: datetime) -> None:
    """Note from when to when these feeds are known by archives, all imports together; holes are left out."""
    for feed_id in sorted(feed_ids):
        times, live = await store.archived_times(feed_id), await store.live_stretches(feed_id)
        covered = [part for stretch in stretches(times, zone) for part in outside(stretch, live)]
        await store.save_archive_exposures(feed_id, covered, now)
