"""The bundled scenario: six weeks of invented AI-industry news, and the feed documents that carry it.

Everything in ``scenario.jsonl`` is made up; where a real company is named, the news about it is not real either.
Each line is one item: ``{"round", "day", "feed", "lang", "topics", "title", "summary"}``.

Round 0 is the backlog, 20 hours to six weeks old and quiet. Round 1 brings a few ordinary items, round 2 the surge:
a small lab trains a frontier model for a thirtieth of the usual cost. ``topics`` are the labels a person would give.

Documents are RSS 2.0 (Winer, 2009) or Atom (RFC 4287). Pure but for reading the bundled file.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree as ET

TOPICS = ("efficiency", "capex", "geopolitics")
SURGE_TOPIC = "efficiency"

_FILE = Path(__file__).with_name("scenario.jsonl")
_WHEEL = timedelta(days=42)
_YOUNGEST = timedelta(hours=20)
_ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True, slots=True)
class Outlet:
    """An invented publisher: its feed's name, address part, language and dialect."""

    name: str
    slug: str
    lang: str
    dialect: Literal["rss", "rss-html", "atom"]


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the scenario.

    ``day`` counts days. In rounds 1 and 2 it is the item's age. In the backlog it says how long before a Monday,
    00:00 UTC, the item appeared (0.5 is Sunday noon, 41.5 a Monday noon): see ``published``.
    """

    feed: str
    day: float
    title: str
    summary: str
    lang: str
    topics: tuple[str, ...]
    round: int


OUTLETS: Mapping[str, Outlet] = {
    outlet.name: outlet
    for outlet in (
        Outlet("The Inference Desk", "inference-desk", "en", "rss"),
        Outlet("Lab Notes", "lab-notes", "en", "atom"),
        Outlet("Rack & Power", "rack-and-power", "en", "rss-html"),
        Outlet("Policy Wire", "policy-wire", "en", "rss"),
        Outlet("Tape & Token", "tape-and-token", "en", "rss"),
        Outlet("Halbleiter-Brief", "halbleiter-brief", "de", "atom"),
        Outlet("Morgenkurs", "morgenkurs", "de", "rss-html"),
    )
}


def load(path: Path = _FILE) -> tuple[Row, ...]:
    """Read the scenario. Raises ValueError, naming the line, for one that is no item of a known feed and topic."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_row(line, f"{path.name} line {number}") for number, line in enumerate(lines, start=1))


def _row(line: str, where: str) -> Row:
    """Read one line; ``where`` is for the error."""
    fields = json.loads(line)
    try:
        row = Row(**fields | {"topics": tuple(fields["topics"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{where}: not an item of the scenario ({error})") from error
    if row.feed not in OUTLETS:
        raise ValueError(f"{where}: unknown feed {row.feed!r}")
    if unknown := set(row.topics) - set(TOPICS):
        raise ValueError(f"{where}: unknown topic {min(unknown)!r}")
    if row.round not in {0, 1, 2} or row.day < 0:
        raise ValueError(f"{where}: the round must be 0, 1 or 2, and the day not negative")
    return row


def published(row: Row, now: datetime) -> datetime:
    """Tell when an item appeared, if the demo is played at ``now``; whole seconds, UTC.

    The backlog is a wheel of six weeks, turned so that its quiet weekends fall on those of the calendar whatever
    the weekday of ``now``: what would be younger than 20 hours comes out as the oldest of its feed instead.
    """
    now = now.astimezone(UTC)
    age = timedelta(days=row.day)
    if row.round == 0:
        monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
        age = _YOUNGEST + (age + (now - monday) - _YOUNGEST) % _WHEEL
    return (now - age).replace(microsecond=0)


def feed_document(feed_name: str, rows: Sequence[Row], now: datetime, latest: int) -> bytes:
    """Write a feed as its outlet would at ``now``: every item up to round ``latest``, newest first, as UTF-8."""
    outlet = OUTLETS[feed_name]
    mine = [(row, published(row, now)) for row in rows if row.feed == feed_name and row.round <= latest]
    mine.sort(key=lambda pair: pair[1], reverse=True)
    root = _atom(outlet, mine) if outlet.dialect == "atom" else _rss(outlet, mine)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _home(outlet: Outlet) -> str:
    """Address the outlet's site; .example never resolves (RFC 2606)."""
    return f"https://{outlet.slug}.example/"


def _link(outlet: Outlet, row: Row) -> str:
    """Address an item by the words of its title, without their accents."""
    plain = unicodedata.normalize("NFKD", row.title.casefold()).encode("ascii", "ignore").decode()
    return _home(outlet) + "-".join(re.findall(r"\w+", plain))


def _guid(outlet: Outlet, row: Row) -> str:
    """Give an item a name that stays the same from round to round (a tag URI, RFC 4151)."""
    return f"tag:{outlet.slug}.example,2026:{hashlib.sha256(row.title.encode()).hexdigest()[:12]}"


def _rss(outlet: Outlet, items: Sequence[tuple[Row, datetime]]) -> ET.Element:
    """Build an RSS 2.0 document."""
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    for tag, text in (("title", outlet.name), ("link", _home(outlet)), ("language", outlet.lang)):
        ET.SubElement(channel, tag).text = text
    ET.SubElement(channel, "description").text = f"{outlet.name}: invented news for a demonstration"
    for row, when in items:
        item = ET.SubElement(channel, "item")
        ET.SubElement(item, "title").text = row.title
        ET.SubElement(item, "link").text = _link(outlet, row)
        ET.SubElement(item, "guid", isPermaLink="false").text = _guid(outlet, row)
        ET.SubElement(item, "pubDate").text = format_datetime(when, usegmt=True)
        ET.SubElement(item, "description").text = _description(outlet, row)
    return root


def _description(outlet: Outlet, row: Row) -> str:
    """Write the summary as the outlet does: as plain text, or as a paragraph of HTML with a link below it."""
    if outlet.dialect == "rss":
        return row.summary
    more = "Weiterlesen" if outlet.lang == "de" else "Read on"
    return f'<p>{escape(row.summary)}</p>\n<p><a href="{_link(outlet, row)}">{more}&nbsp;&rarr;</a></p>'


def _atom(outlet: Outlet, items: Sequence[tuple[Row, datetime]]) -> ET.Element:
    """Build an Atom document."""
    root = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": outlet.lang})
    _atom_text(root, title=outlet.name, id=_home(outlet), updated=items[0][1].isoformat() if items else "")
    ET.SubElement(root, "link", href=_home(outlet))
    _atom_text(ET.SubElement(root, "author"), name=outlet.name)
    for row, when in items:
        entry = ET.SubElement(root, "entry")
        _atom_text(entry, title=row.title, id=_guid(outlet, row), summary=row.summary)
        _atom_text(entry, published=when.isoformat(), updated=when.isoformat())
        ET.SubElement(entry, "link", href=_link(outlet, row))
    return root


def _atom_text(parent: ET.Element, **texts: str) -> None:
    """Append one text element for each name."""
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = text
