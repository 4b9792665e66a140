"""Lists of feeds as other readers exchange them: OPML 2.0 (http://opml.org/spec2.opml). Pure.

The library listparser reads outlines; it sees a document as HTML, where entities cannot be declared and nothing is
ever loaded. Files are larger than memory or patience only when somebody means harm, so size and depth have limits.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from listparser.common import SuperDict
from listparser.opml import OpmlMixin

from monitor.feeds.clean import cut, one_line

MAX_BYTES = 5_000_000
DEEPEST = 50
_LONGEST_CATEGORY = 200
_LONGEST_NAME, _LONGEST_KIND = 80, 40
_DECLARED = re.compile(rb"""<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.-]{1,40})["']""")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LANGUAGE = re.compile(r"([a-z]{2})(?![a-z])", re.IGNORECASE)


class NotOpml(ValueError):
    """The document is no list of feeds that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed in a list: ``kind`` is the innermost group that it stands in; ``line`` counts from 1."""

    url: str
    name: str
    kind: str | None = None
    lang: str | None = None
    paused: bool = False
    line: int = 0


def read_opml(document: bytes) -> tuple[Outline, ...]:
    """Return the feeds of a document in their order, repeated ones too. Raises NotOpml.

    What is broken is read as far as it goes.
    """
    if len(document) > MAX_BYTES:
        raise NotOpml(f"it is larger than {MAX_BYTES // 1_000_000} MB; no list of feeds should be")
    reader = _Reader()
    reader.feed(_text(document))
    if not reader.outlines:
        raise NotOpml("it names no feeds" if reader.harvest["version"] else "it is no OPML")
    return tuple(reader.outlines)


class _Reader(OpmlMixin):
    """listparser's reader of outlines, which also remembers lines, languages and pauses, and cannot be overwhelmed."""

    def __init__(self) -> None:
        super().__init__()
        self.harvest.update(version="", feeds=[], lists=[], opportunities=[], meta=SuperDict(), bozo=False)
        self.outlines: list[Outline] = []

    def start_opml_outline(self, attrs: dict[str, str]) -> None:
        if len(self.hierarchy) > DEEPEST:
            raise NotOpml(f"line {self.getpos()[0]}: its groups are nested more than {DEEPEST} deep")
        url = attrs.get("xmlurl", "").strip()
        if url in self.found_urls:  # listparser would merge the two, and search all groups of both
            self.hierarchy.append("")
            self.outlines.append(self._outline(self.found_urls[url][1], attrs))
            return
        if "category" in attrs:
            attrs["category"] = attrs["category"][:_LONGEST_CATEGORY]
        known = len(self.harvest["feeds"])
        super().start_opml_outline(attrs)
        if len(self.harvest["feeds"]) > known:
            self.outlines.append(self._outline(self.harvest["feeds"][-1], attrs))

    def end_opml_outline(self) -> None:
        if self.hierarchy:  # else an end without a beginning
            super().end_opml_outline()

    def _outline(self, feed: SuperDict, attrs: dict[str, str]) -> Outline:
        language = _LANGUAGE.match(attrs.get("language", "").strip())
        return Outline(
            url=str(feed["url"]),
            name=cut(one_line(str(feed["title"])), _LONGEST_NAME),
            kind=_kind(feed["categories"]),
            lang=language[1].lower() if language else None,
            paused=attrs.get("iscomment", "").strip().lower() == "true",
            line=self.getpos()[0],
        )


def _kind(categories: Sequence[Sequence[str]]) -> str | None:
    """Return the innermost group; listparser puts the groups around a feed behind its own categories."""
    names = [name for name in categories[-1] if name.strip()] if categories else []
    return cut(one_line(names[-1]), _LONGEST_KIND) or None if names else None


def _text(document: bytes) -> str:
    """Decode by byte order mark, else as declared, else as UTF-8 or, where that fails, as windows-1252."""
    marked = next((name for mark, name in _BOMS if document.startswith(mark)), None)
    declared = _DECLARED.match(document.lstrip()[:200])
    for name in (marked, declared and declared[1].decode(), "utf-8"):
        try:
            if name:
                return document.decode(name)
        except (LookupError, UnicodeError):
            continue
    return document.decode("cp1252", "replace")


def write_opml(outlines: Sequence[Outline], title: str, now: datetime) -> str:
    """Return a document with these feeds, in groups by kind; a paused feed is marked as a comment (isComment)."""
    root = ET.Element("opml", version="2.0")
    head, body = ET.SubElement(root, "head"), ET.SubElement(root, "body")
    ET.SubElement(head, "title").text = title
    ET.SubElement(head, "dateCreated").text = format_datetime(now)
    groups: dict[str, ET.Element] = {}
    for outline in outlines:
        kind = one_line(outline.kind or "")
        if kind and kind not in groups:
            groups[kind] = ET.SubElement(body, "outline", text=kind, title=kind)
        ET.SubElement(groups.get(kind, body), "outline", _attributes(outline))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _attributes(outline: Outline) -> dict[str, str]:
    name = one_line(outline.name)
    found = {"text": name, "title": name, "type": "rss", "xmlUrl": outline.url}
    if outline.lang:
        found["language"] = outline.lang
    return {**found, "isComment": "true"} if outline.paused else found
