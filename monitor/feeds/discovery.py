"""Find the feeds of a web page: what it links to as its feeds, what looks like one, and where sites usually have one.

Pure. Autodiscovery as in https://www.rssboard.org/rss-autodiscovery and WHATWG HTML, 4.6.6.1 (`alternate`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.feeds.clean import cut, one_line
from monitor.feeds.domains import registered_domain

MOST = 12
"""So many feeds of a page are offered; a directory of feeds has hundreds."""
_LONGEST = 80
_TYPES = {
    *("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"),
    *("application/x-rss+xml", "application/rss", "application/atom", "text/rss+xml", "text/atom+xml"),
}
_PATH = re.compile(r"/(rss|feeds?|atom|rdf)(\d?\.(xml|rss|atom|rdf|json))?/?$|\.(rss|atom|rdf)$|/feed\.", re.IGNORECASE)
_QUERY = re.compile(r"(^|&)(feed=(rss|atom)|format=(rss|atom)|(alt|output|type)=(rss|atom))", re.IGNORECASE)
_COMMENTS = re.compile(r"comment|kommentar|replies", re.IGNORECASE)
_USUAL = ("/feed", "/rss.xml", "/atom.xml", "/index.xml", "/feed.xml")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may be a feed, with what the page calls it (may be empty)."""

    url: str
    title: str = ""


def discover(page: str, url: str) -> tuple[Candidate, ...]:
    """Return what a page names as its feeds, else what on it looks like a feed; feeds of comments come last.

    ``url`` is where the page came from. At most MOST are returned, each once.
    """
    tree = LexborHTMLParser(page)
    base = _base(tree, url)
    named = _distinct(_named(tree, base))
    found = named or _distinct(_lookalikes(tree, base, url))
    return tuple(sorted(found, key=_is_about_comments)[:MOST])


def usual_places(url: str) -> tuple[str, ...]:
    """Return the addresses at which a site most often has a feed: under the page itself, then at its root."""
    path = urlsplit(url).path.rstrip("/")
    below = [urljoin(url, f"{path}/feed")] if path else []
    return tuple(dict.fromkeys([*below, *(urljoin(url, place) for place in _USUAL)]))


def _base(tree: LexborHTMLParser, url: str) -> str:
    node = tree.css_first("base[href]")
    return _absolute(url, _attribute(node, "href")) or url if node else url


def _named(tree: LexborHTMLParser, base: str) -> Iterator[Candidate]:
    for node in tree.css("link[href]"):
        kind = _attribute(node, "type").split(";")[0].strip().lower()
        alternate = "alternate" in _attribute(node, "rel").lower().split()
        if alternate and kind in _TYPES and (url := _absolute(base, _attribute(node, "href"))):
            yield Candidate(url, _title(_attribute(node, "title")))


def _lookalikes(tree: LexborHTMLParser, base: str, page: str) -> Iterator[Candidate]:
    """Yield links to feeds on the page's own domain: others lead to readers that offer to subscribe."""
    home = registered_domain(page)
    for node in tree.css("a[href]"):
        url = _absolute(base, _attribute(node, "href"))
        if url and _looks_like_a_feed(url) and registered_domain(url) == home:
            yield Candidate(url, _title(node.text() or _attribute(node, "title")))


def _looks_like_a_feed(url: str) -> bool:
    parts = urlsplit(url)
    return bool(_PATH.search(parts.path) or _QUERY.search(parts.query))


def _is_about_comments(candidate: Candidate) -> bool:
    return bool(_COMMENTS.search(f"{candidate.title} {urlsplit(candidate.url).path}"))


def _distinct(candidates: Iterator[Candidate]) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(candidate.url, candidate)
    return list(found.values())


def _absolute(base: str, href: str) -> str | None:
    """Return where a link leads, without its fragment; None where that is no web address."""
    href = re.sub(r"^feed:(?=https?:)", "", href.strip())
    try:
        url = urljoin(base, re.sub(r"^feed:", "http:", href)).partition("#")[0]
        usable = urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).hostname)
    except ValueError:
        return None
    return url if href and usable and not any(char.isspace() for char in url) else None


def _attribute(node: LexborNode, name: str) -> str:
    return node.attributes.get(name) or ""


def _title(text: str) -> str:
    return cut(one_line(text), _LONGEST)
