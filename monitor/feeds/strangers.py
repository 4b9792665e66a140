"""Documents that are no feeds, told apart for the user: a web page, a login, a challenge. Pure."""

import re

from selectolax.lexbor import LexborHTMLParser

from monitor.feeds.clean import link, one_line

_PROLOGUE = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s+|<\?xml[^>]*\?>|<!--.*?-->)*", re.DOTALL)
_HTML = re.compile(rb"<!doctype\s+html|<(?:html|head|body|script|meta|title)[\s>]", re.IGNORECASE)
_CHALLENGES = (b"challenge-platform", b"cf-chl", b"cf_chl", b"_cf_", b"just a moment...")
_SNIFFED = 100_000


def looks_like_html(body: bytes) -> bool:
    """Tell whether a document is a web page."""
    return bool(_HTML.match(_after_prologue(body)))


def opening(body: bytes) -> str:
    """Return the first characters that say what a document is, behind XML declaration and comments."""
    return one_line(_after_prologue(body)[:200].decode("utf-8", "replace"))[:60]


def _after_prologue(body: bytes) -> bytes:
    head = body[:_SNIFFED]
    prologue = _PROLOGUE.match(head)
    return head[prologue.end() :] if prologue else head


def describe_html(body: bytes, url: str) -> str:
    """Say what kind of web page came from this address, where a feed should be."""
    head = body[:_SNIFFED]
    tree = LexborHTMLParser(head.decode("utf-8", "replace"))
    title = tree.css_first("title")
    name = one_line(title.text())[:80] if title else ""
    suffix = f" (title: {name})" if name else ""
    if any(mark in head.lower() for mark in _CHALLENGES):
        return f"a Cloudflare challenge page for browsers, not a feed{suffix}"
    if tree.css_first("input[type=password]"):
        return f"a login page, not a feed{suffix}"
    return f"an HTML page, not a feed{suffix}{_advice(tree, url)}"


def _advice(tree: LexborHTMLParser, url: str) -> str:
    """Point to the feed that a page advertises, if it does."""
    feed = tree.css_first('link[rel="alternate"][type="application/rss+xml"], link[type="application/atom+xml"]')
    href = link(feed.attributes.get("href") or "", url) if feed else None
    return f"; the page says that its feed is {href[:200]}" if href else ""
