"""Which entries of a document are new: identity of entries, however carelessly their publisher names them. Pure.

Two entries of a feed are the same when

- they have the same guid, unless link and title both differ (a reused guid);
- or the same link and the same title (a guid that changes with every poll);
- or, without guids, the same link;
- or, with neither guid nor link, the same title.

A guid or link that entries with different titles share within one document (a link to the front page, a guid that is
always "0") identifies nothing by itself and is then left out of account.
"""

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from monitor.feeds.links import normalise_link
from storage.feed_records import Entry


@dataclass(frozen=True, slots=True)
class Facets:
    """What entries are compared by, normalised; empty where the publisher gave nothing."""

    guid: str
    link: str
    title: str


@dataclass(frozen=True, slots=True)
class Identified:
    """An entry with its identity (64 hex digits, unique within a feed) and the hashes by which it is found again."""

    entry: Entry
    identity: str
    keys: tuple[int, ...]
    facets: Facets


@dataclass(frozen=True, slots=True)
class _Shared:
    """Guids and links that identify nothing, because entries with different titles share them."""

    guids: frozenset[str]
    links: frozenset[str]


def identify(entry: Entry) -> Identified:
    """Give an entry its identity and its keys: a signed 64-bit hash of each of guid, link and title that it has."""
    facets = _facets(entry)
    named = (("guid", facets.guid), ("link", facets.link), ("title", facets.title))
    keys = tuple(_key(name, value) for name, value in named if value)
    identity = hashlib.sha256(f"{facets.guid}\0{facets.link}\0{facets.title}".encode("utf-8", "replace"))
    return Identified(entry, identity.hexdigest(), keys, facets)


def identify_all(entries: Iterable[Entry]) -> tuple[Identified, ...]:
    """Give every entry its identity and its keys."""
    return tuple(map(identify, entries))


def fresh(identified: Sequence[Identified], known: Sequence[Entry]) -> tuple[Identified, ...]:
    """Return the entries that are neither known nor repeated within ``identified``, in their order.

    ``known`` are the feed's stored entries that share at least one key with ``identified``; only their guid, url and
    title are looked at.
    """
    seen = _Seen(identified, identify_all(known))
    new = []
    for candidate in identified:
        if candidate not in seen:
            new.append(candidate)
            seen.add(candidate)
    return tuple(new)


def recognised(identified: Sequence[Identified], known: Sequence[Entry]) -> int:
    """Count the entries that are known: to share a link or a headline with a stored one is not enough for that.

    ``known`` is as in fresh().
    """
    seen = _Seen(identified, identify_all(known))
    return sum(candidate in seen for candidate in identified)


def doubtful(identified: Sequence[Identified], known: Sequence[Entry]) -> bool:
    """Tell whether a part of a document leaves open what is new in it.

    It does when an entry resembles a known one without being equal to any: whether they are the same may depend on
    what guids and links the rest of the document shares. ``known`` is as in fresh().
    """
    old = identify_all(known)
    equal = {one.facets for one in old}
    keys = {key for one in old for key in one.keys}
    return any(one.facets not in equal and not keys.isdisjoint(one.keys) for one in identified)


class _Seen:
    """Entries by their keys, beginning with those that are known."""

    def __init__(self, identified: Sequence[Identified], old: Sequence[Identified]) -> None:
        self._shared = _union(_shared(identified), _shared(old))
        self._facets: dict[int, list[Facets]] = defaultdict(list)
        for one in old:
            self.add(one)

    def __contains__(self, candidate: Identified) -> bool:
        found = self._facets
        return any(
            _same(candidate.facets, other, self._shared) for key in candidate.keys for other in found.get(key, ())
        )

    def add(self, identified: Identified) -> None:
        for key in identified.keys:
            self._facets[key].append(identified.facets)


def _same(a: Facets, b: Facets, shared: _Shared) -> bool:
    if a == b:
        return True
    same_link = a.link != "" and a.link == b.link
    same_title = a.title == b.title
    if a.guid == b.guid != "" and a.guid not in shared.guids:
        both_differ = not same_title and not same_link and "" not in (a.link, b.link)
        return not both_differ
    if same_link and same_title:
        return True
    if a.guid or b.guid:
        return False
    return same_link and a.link not in shared.links


def _shared(identified: Iterable[Identified]) -> _Shared:
    guids: dict[str, set[str]] = defaultdict(set)
    links: dict[str, set[str]] = defaultdict(set)
    for one in identified:
        guids[one.facets.guid].add(one.facets.title)
        links[one.facets.link].add(one.facets.title)
    return _Shared(_several(guids), _several(links))


def _several(titles: dict[str, set[str]]) -> frozenset[str]:
    return frozenset(value for value, found in titles.items() if len(found) > 1)


def _union(a: _Shared, b: _Shared) -> _Shared:
    return _Shared(a.guids | b.guids, a.links | b.links)


def _facets(entry: Entry) -> Facets:
    title = " ".join(unicodedata.normalize("NFKC", entry.title).casefold().split())
    link = normalise_link(entry.url or "")
    return Facets(link if entry.guid == entry.url else normalise_link(entry.guid or ""), link, title)


def _key(name: str, value: str) -> int:
    digest = hashlib.sha256(f"{name}\0{value}".encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
