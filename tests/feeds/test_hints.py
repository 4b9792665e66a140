"""What a feed says about asking for it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.document import Document, pack_document, unpack_document
from monitor.feeds.hints import RawHints, read_hints
from monitor.feeds.parse import parse_document
from storage.feed_records import Hints
from tests.feeds.sampling import NOW

BASE = "https://a.example/feed"
EVERY_HOUR = tuple(str(hour) for hour in range(24))
EVERY_DAY = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@pytest.mark.parametrize(
    ("raw", "ttl"),
    [
        (RawHints(ttl="60"), timedelta(hours=1)),
        (RawHints(ttl=" 5 "), timedelta(minutes=5)),
        (RawHints(ttl="0"), None),
        (RawHints(ttl="-5"), None),
        (RawHints(ttl="an hour"), None),
        (RawHints(ttl="999999"), timedelta(days=366)),
    ],
)
def test_how_long_a_document_stays_fresh(raw: RawHints, ttl: timedelta | None) -> None:
    assert read_hints(raw, "", BASE).ttl == ttl


@pytest.mark.parametrize(
    ("raw", "hours", "days"),
    [
        (RawHints(hours=("0", "23", "5")), (0, 5, 23), ()),
        (RawHints(hours=("24", "25", "-1", "x")), (0,), ()),
        (RawHints(hours=EVERY_HOUR), (), ()),
        (RawHints(days=("Sunday", "saturday", "Holiday")), (), (5, 6)),
        (RawHints(days=EVERY_DAY), (), ()),
    ],
    ids=["hours", "an old way to write midnight", "never is no hint", "days", "nor is it in days"],
)
def test_when_not_to_ask(raw: RawHints, hours: tuple[int, ...], days: tuple[int, ...]) -> None:
    hints = read_hints(raw, "", BASE)
    assert (hints.skip_hours, hints.skip_days) == (hours, days)


@pytest.mark.parametrize(
    ("header", "hub", "topic"),
    [
        ("", "https://in.example/", "https://a.example/self"),
        ('<https://hub.example/>; rel="hub"', "https://hub.example/", "https://a.example/self"),
        ('<https://hub.example/>; rel=hub, </other>; rel="self"', "https://hub.example/", "https://a.example/other"),
        ('<https://h.example/>; title="a, b"; REL="Hub self"', "https://h.example/", "https://h.example/"),
        (
            "<https://1.example/>; rel=hub, <https://2.example/>; rel=hub",
            "https://1.example/",
            "https://a.example/self",
        ),
        ('<https://x.example/>; rel="preload"; as="hub"', "https://in.example/", "https://a.example/self"),
        ("<javascript:alert(1)>; rel=hub", None, "https://a.example/self"),
        ("<<<;rel=hub,>", "https://in.example/", "https://a.example/self"),
    ],
)
def test_the_hub_of_the_http_answer_counts_before_that_of_the_document(header: str, hub: str, topic: str) -> None:
    hints = read_hints(RawHints(hub="https://in.example/", topic="/self"), header, BASE)
    assert (hints.hub, hints.topic) == (hub, topic)


@given(st.text(alphabet='<>;,="relhubs /:x'))
def test_no_link_header_is_too_much(header: str) -> None:
    hub = read_hints(RawHints(), header, BASE).hub
    assert hub is None or hub.startswith("http")


def read(body: str) -> Document:
    return parse_document(body.encode(), {}, BASE, "en", NOW)


def test_a_json_feed_names_its_hub() -> None:
    hubs = '[7, {"type": "rssCloud", "url": "https://no.example/"}, {"type": "WebSub", "url": "https://hub.example/"}]'
    version = "https://jsonfeed.org/version/1.1"
    document = read(f'{{"version": "{version}", "feed_url": "{BASE}.json", "hubs": {hubs}, "items": []}}')
    assert document.hints == Hints(hub="https://hub.example/", topic=f"{BASE}.json")
    assert unpack_document(pack_document(document)) == document


def test_the_syndication_module_is_not_heeded_because_publishing_programs_write_it_everywhere() -> None:
    module = "xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'"
    pace = "<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>"
    document = read(f"<rss version='2.0' {module}><channel>{pace}<item><title>x</title></item></channel></rss>")
    assert document.hints == Hints()


def test_a_document_that_had_to_be_mended_says_so() -> None:
    assert read("<rss version='2.0'><channel><item><title>x</title></item></channel></rss>").sound
    assert not read("<rss version='2.0'><channel><item><title>x & y</title></item>").sound
