"""Documents that are no feeds, told apart for the user: a web page, a login, a challenge. Pure."""

import re

from selectolax.lexbor import LexborHTMLParser

from monitor.errors import ParseError
from monitor.feeds.clean import link, one_line

_PROLOGUE = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s+|<\?xml[^>]*\?>|<!--.*?-->)*", re.DOTALL)
_HTML = re.compile(rb"<!doctype\s+html|<(?:html|head|body|script|meta|title)[\s>]", re.IGNORECASE)
_CHALLENGES = (b"cf-chl", b"cf_chl", b"just a moment...")
# Services that stand before sites: DataDome, PerimeterX (HUMAN), Imperva, AWS WAF.
_GUARDS = (b"captcha-delivery.com", b"px-captcha", b"_incapsula_resource", b"awswafcookiedomainlist", b"gokuprops")
_CAPTCHAS = (b"g-recaptcha", b"recaptcha/api", b"h-captcha", b"hcaptcha.com", b"cf-turnstile", b"captcha")
_ROBOT = re.compile(
    r"are you (a )?(robot|human)|not a (robot|bot)|(you are|you're) (a )?human|robot or human|bot (check|verification)"
    r"|checking your browser|unusual (traffic|activity)|security (check|verification)|pardon our interruption"
    r"|human verification|captcha",
    re.IGNORECASE,
)
_DENIED = re.compile(r"access (is |has been )?(temporarily )?(denied|blocked|restricted)|\bforbidden\b", re.IGNORECASE)
_SNIFFED = 100_000
_SHORT = 1_500


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


def refusal(body: bytes, url: str) -> ParseError:
    """Say what kind of web page came from this address, where a feed should be."""
    head = body[:_SNIFFED]
    tree = LexborHTMLParser(head.decode("utf-8", "replace"))
    title = tree.css_first("title")
    name = one_line(title.text())[:80] if title else ""
    suffix = f" (title: {name})" if name else ""
    advice = _advice(tree, url)
    wall = _wall(head.lower(), tree, name)
    # A page that points to its feed is the site itself, whatever forms it has.
    if wall and not advice:
        return ParseError(f"{wall}, not a feed{suffix}", trouble="blocked")
    return ParseError(f"an HTML page, not a feed{suffix}{advice}")


def _wall(head: bytes, tree: LexborHTMLParser, name: str) -> str | None:
    """Name what stands between this program and the site, if anything does."""
    if any(mark in head for mark in _CHALLENGES):
        return "a Cloudflare challenge page for browsers"
    login = tree.css_first("input[type=password]")
    if any(mark in head for mark in _GUARDS) or _ROBOT.search(name) or (not login and _asks_for_a_person(head, tree)):
        return "a page that asks whether a person is reading (a CAPTCHA)"
    if login:
        return "a login page"
    return "a page that denies access" if _DENIED.search(name) else None


def _asks_for_a_person(head: bytes, tree: LexborHTMLParser) -> bool:
    """Tell a page that is nothing but a CAPTCHA from one that has a contact form."""
    tree.strip_tags(["script", "style"])
    text = one_line(tree.body.text() if tree.body else "")
    return len(text) < _SHORT and (bool(_ROBOT.search(text)) or any(mark in head for mark in _CAPTCHAS))


def _advice(tree: LexborHTMLParser, url: str) -> str:
    """Point to the feed that a page advertises, if it does."""
    feed = tree.css_first('link[rel="alternate"][type="application/rss+xml"], link[type="application/atom+xml"]')
    href = link(feed.attributes.get("href") or "", url) if feed else None
    return f"; the page says that its feed is {href[:200]}" if href else ""
