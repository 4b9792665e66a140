"""When two links mean the same page: a form that leaves out what only tells where a click came from. Pure."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

# Names are listed exactly wherever a site could mean something by them: 'ref' alone may be a document's number.
_TRACKING = re.compile(
    r"(utm|hsa|oly|vero|mtm|matomo|piwik)_\w*|mc_[ce]id|_hs(enc|mi)|pk_(campaign|kwd|source|medium|content)"
    r"|at_(medium|campaign\w*|custom\d|format|type|link_\w+|bbc_team|ptr_\w+)|ns_(mchannel|source|campaign|linkname|fee)"
    r"|(fb|g|d|y|tw|tt)clid|gbraid|wbraid|msclkid|igshid|igsh|mkt_tok|mibextid|srsltid|cmpid|cmp|ftcamp|xtor|echobox"
    r"|s_cid|ref_src|ref_url|smid|spm|ncid|ocid|guccounter|guce_referrer(_sig)?",
    re.IGNORECASE,
)
# A parameter of any name whose value only says "this link stood in a feed": ?source=rss, ?mod=rss_news.
_FROM_FEED = re.compile(r"(rss|atom|feed)(?:[-_.:].*)?", re.IGNORECASE)
_WEB = re.compile(r"https?:", re.IGNORECASE)
_REMEMBERED = 2_048  # a guid is often the link once more, and a known entry is compared with itself
_NUMBER = re.compile(r"\d{0,4}")


@lru_cache(_REMEMBERED)
def normalise_link(url: str) -> str:
    """Bring a link to the form under which it is compared; what is no http link comes back trimmed.

    Scheme (http is https), case of the host, default port, trailing slash, order and tracking parameters do not
    matter. A fragment matters (a changelog's entries differ by nothing else) unless it is tracking or a mere number:
    the BBC counts an article's updates that way.
    """
    text = url.strip()
    if not _WEB.match(text):
        return text
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return text
    if not host:
        return text
    host = f"[{host}]" if ":" in host else host
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    query, fragment = _query(parts.query), _fragment(parts.fragment)
    link = f"https://{place}{parts.path.rstrip('/')}" + (query and f"?{query}") + (fragment and f"#{fragment}")
    # What was dropped may have hidden white space that is now at the end.
    return link if link == link.strip() else normalise_link(link)


def _query(query: str) -> str:
    return "&".join(sorted(part for part in query.split("&") if part and not _tracks(part)))


def _tracks(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    return bool(_TRACKING.fullmatch(name) or _FROM_FEED.fullmatch(value))


def _fragment(fragment: str) -> str:
    meaningless = _NUMBER.fullmatch(fragment) or fragment.startswith(":~:") or ("=" in fragment and _tracks(fragment))
    return "" if meaningless else fragment
