"""The feeds that the polling benchmark asks for: RSS of about 40 kB with 25 entries, as a content system writes it.

Everything follows from the feed's number and the state of the world, so that nobody has to keep the documents.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from random import Random

ENTRIES = 25
_SENTENCES = 2_000
_PARAGRAPHS = 2
_PER_PARAGRAPH = (3, 6)
_NEWEST_AGE = timedelta(days=3)
_BETWEEN = timedelta(hours=1)

_PARTS = """
the laboratory, a chip maker, the regulator, an open model, the cloud provider, a research group, the start-up, its \
largest customer, the data centre, a new accelerator, the ministry, an independent audit, the board, the consortium
announced, trained, doubled, questioned, released, delayed, acquired, measured, licensed, shipped, halved, extended
the cost of inference, a second training cluster, its export licence, the evaluation of long contexts, a smaller \
network, the price of tokens, its supply of memory, the contract for electricity, a safety report, the wafer order
after months of talks, according to people familiar with it, for the third time this year, by about a third, \
without naming a date, in spite of rising demand, as analysts had expected, to the surprise of its partners
"""
"""What sentences are made of: one line each of subjects, verbs, objects and ends."""


@dataclass(frozen=True, slots=True)
class World:
    """The state of all feeds: when they began, how often their entries moved on, and how often they were built."""

    began: datetime
    entries: int = 0
    builds: int = 0


def document(feed: int, world: World) -> bytes:
    """Write one feed's document: its newest entries, the newest first."""
    newest = ENTRIES + world.entries
    items = "".join(_item(feed, number, world.began) for number in range(newest, newest - ENTRIES, -1))
    return f"{_head(feed, world)}{items}</channel>\n</rss>\n".encode()


def validators(feed: int, world: World) -> tuple[str, str]:
    """Return the ETag and the Last-Modified of one feed's document."""
    return f'W/"{feed}-{world.entries}-{world.builds}"', _date(_built(world))


def _head(feed: int, world: World) -> str:
    language = "" if feed % 4 == 3 else "<language>en-US</language>\n"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>Site {feed} &#8211; Artificial Intelligence</title>
<atom:link href="https://site-{feed}.example/feed/" rel="self" type="application/rss+xml" />
<link>https://site-{feed}.example/</link>
<description>What happens in machine learning</description>
<lastBuildDate>{_date(_built(world))}</lastBuildDate>
{language}<generator>https://wordpress.example/?v=6.8</generator>
"""


@functools.lru_cache(maxsize=1 << 14)
def _item(feed: int, number: int, began: datetime) -> str:
    dice = Random(f"{feed} {number}")
    title = dice.choice(_sentences())[:-1]
    link = f"https://site-{feed}.example/{2000 + number % 30}/{'-'.join(title.lower().split())}/"
    date = _date(began - _NEWEST_AGE + _BETWEEN * (number - ENTRIES))
    return f"""<item>
<title>{title}</title>
<link>{link}</link>
<dc:creator><![CDATA[Desk {dice.randrange(9)}]]></dc:creator>
<pubDate>{date}</pubDate>
<category><![CDATA[Models]]></category>
<guid isPermaLink="false">https://site-{feed}.example/?p={number}</guid>
<description>{_summary(feed, link, dice)}</description>
</item>
"""


def _summary(feed: int, link: str, dice: Random) -> str:
    """Write the text as HTML; every other feed escapes it, the others put it into CDATA."""
    paragraphs = "".join(f"<p>{_paragraph(link, dice)}</p>\n" for _ in range(_PARAGRAPHS))
    picture = f'<img src="{link}lead.jpg" alt="A row of racks" width="1024" height="683" loading="lazy" />'
    html = f'<figure class="wp-block-image size-large">{picture}</figure>\n{paragraphs}'
    return escape(html) if feed % 2 else f"<![CDATA[{html}]]>"


def _paragraph(link: str, dice: Random) -> str:
    first, *rest = dice.choices(_sentences(), k=dice.randint(*_PER_PARAGRAPH))
    return f'<a href="{link}" rel="nofollow"><strong>{first}</strong></a> {" ".join(rest)}'


@functools.cache
def _sentences() -> tuple[str, ...]:
    dice, parts = Random("sentences"), [line.split(", ") for line in _PARTS.strip().splitlines()]
    return tuple(_sentence(parts, dice) for _ in range(_SENTENCES))


def _sentence(parts: Sequence[Sequence[str]], dice: Random) -> str:
    words = " ".join(dice.choice(part) for part in parts)
    return f"{words[0].upper()}{words[1:]} {dice.randint(2, 990)}."


def _built(world: World) -> datetime:
    return world.began - _NEWEST_AGE / 2 + timedelta(minutes=world.builds)


def _date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)
