"""An entry as its document writes it: what feedparser and JSON Feed have in common, not cleaned yet. Pure."""

import time
from dataclasses import dataclass, field

from monitor.feeds.hints import RawHints


@dataclass(frozen=True, slots=True)
class RawDate:
    """A date as written, and feedparser's reading of it, if it has one."""

    text: str
    guess: time.struct_time | None = None


@dataclass(frozen=True, slots=True)
class RawEntry:
    """``titles``, ``texts``, ``links`` and ``dates`` are candidates, the best first; ``markup``: the title is HTML."""

    guid: str = ""
    links: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    dates: tuple[RawDate, ...] = ()
    lang: str | None = None
    markup: bool = False


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document taken apart. ``base`` is what relative links are relative to; ``sound``: it is well-formed."""

    title: str = ""
    lang: str | None = None
    base: str = ""
    entries: tuple[RawEntry, ...] = ()
    hints: RawHints = field(default_factory=RawHints)
    sound: bool = True
