"""The XML reader under feedparser: the standard library's, less what nobody here reads. A SAX driver, used by its name.

feedparser spends most of its time on elements: a category costs as much as a title. The elements below hold nothing
that an entry keeps, so feedparser never hears of them; this saves a third of its time, and with the authors its search
for e-mail addresses, which takes quadratic time on hostile text. Everything else arrives as from xml.sax.
"""

from collections.abc import Mapping
from typing import Any
from xml.sax.expatreader import ExpatParser
from xml.sax.xmlreader import AttributesNSImpl

from monitor.errors import ParseError

_ATOM = "http://www.w3.org/2005/Atom"
_DC = "http://purl.org/dc/elements/1.1/"
_ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_UNREAD = {
    *((None, name) for name in ("author", "category", "comments", "generator", "managingEditor", "webMaster")),
    *((_ATOM, name) for name in ("author", "category", "contributor", "generator")),
    *((_DC, name) for name in ("contributor", "creator", "publisher", "subject")),
    *((_ITUNES, name) for name in ("author", "category", "keywords", "owner")),
    *(("http://search.yahoo.com/mrss/", name) for name in ("category", "credit", "keywords", "thumbnail")),
    ("http://purl.org/rss/1.0/modules/slash/", "comments"),
    ("http://wellformedweb.org/CommentAPI/", "commentRss"),
    ("http://purl.org/syndication/thread/1.0", "total"),
}
_PARENTS = {
    *((None, name) for name in ("channel", "entry", "feed", "item")),
    *((_ATOM, name) for name in ("entry", "feed")),
    ("http://purl.org/rss/1.0/", "item"),
}
# Beyond these feedparser needs seconds or more; no feed comes near.
_DEEPEST = 500
_MOST_ATTRIBUTES = 500
_NO_ATTRIBUTES = AttributesNSImpl({}, {})

Name = tuple[str | None, str]


class LeanParser(ExpatParser):
    """Hands on all but the unread elements that stand directly in a feed or an entry."""

    _parser: Any
    _cont_handler: Any

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, Name] = {}
        self._path: list[Name] = []
        self._unread = 0

    def reset(self) -> None:
        """Begin anew."""
        super().reset()
        self._parser.buffer_text = True  # one call for each text, not for each of its lines

    def start_element_ns(self, name: str, attrs: Mapping[str, str]) -> None:
        """Hand on the start of an element, unless it is left out."""
        pair = self._names.get(name) or self._names.setdefault(name, _pair(name))
        if self._unread or (pair in _UNREAD and self._path and self._path[-1] in _PARENTS):
            self._leave_out()
            return
        self._path.append(pair)
        if len(self._path) > _DEEPEST or len(attrs) > _MOST_ATTRIBUTES:
            raise ParseError("the document's elements are too deep, or have too many attributes", trouble="cost")
        if attrs:
            super().start_element_ns(name, attrs)
        else:
            self._cont_handler.startElementNS(pair, None, _NO_ATTRIBUTES)

    def end_element_ns(self, name: str) -> None:  # noqa: ARG002 - expat has checked that it is the last one opened
        """Hand on the end of an element, unless it is left out."""
        if not self._unread:
            self._cont_handler.endElementNS(self._path.pop(), None)
            return
        self._unread -= 1
        if not self._unread:
            self._parser.CharacterDataHandler = self._cont_handler.characters

    def _leave_out(self) -> None:
        if not self._unread:
            self._parser.CharacterDataHandler = None
        self._unread += 1


def create_parser() -> Any:
    """Return a new reader: the function by which xml.sax.make_parser knows a driver."""
    return LeanParser()


def _pair(name: str) -> Name:
    """Split expat's name: 'local', 'namespace local' or 'namespace local prefix'."""
    parts = name.split()
    return (None, name) if len(parts) == 1 else (parts[0], parts[1])
