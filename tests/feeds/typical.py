"""A feed as most are: WordPress's RSS with markup in CDATA, the full text beside the summary, categories, an author."""

import random

_WORDS = ("the", "model", "chip", "market", "data", "center", "price", "training", "new", "cost", "says", "growth")
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel>
  <title>Example</title>
  <atom:link href="https://example.org/feed/" rel="self" type="application/rss+xml" />
  <link>https://example.org</link>
  <description>News</description>
  <lastBuildDate>Mon, 23 Nov 2026 14:00:00 +0000</lastBuildDate>
  <language>en-US</language>
  <sy:updatePeriod>hourly</sy:updatePeriod>
  <sy:updateFrequency>1</sy:updateFrequency>
"""
_ITEM = """  <item>
    <title>{title}</title>
    <link>https://example.org/2026/11/{number}/</link>
    <dc:creator><![CDATA[Jane Doe]]></dc:creator>
    <pubDate>Mon, 23 Nov 2026 {hour:02}:05:06 +0000</pubDate>
    <category><![CDATA[AI]]></category>
    <category><![CDATA[Chips]]></category>
    <guid isPermaLink="false">https://example.org/?p={number}</guid>
    <description><![CDATA[<p>{summary} <a href="https://example.org/{number}">Read more</a></p>]]></description>
    <content:encoded><![CDATA[<p>{summary}</p>
<p>It&#8217;s <b>{title}</b></p>]]></content:encoded>
  </item>
"""


def typical_feed(entries: int) -> bytes:
    """Write a feed of about 1.5 kB an entry, the same at every call."""
    chance = random.Random(1)

    def words(count: int) -> str:
        return " ".join(chance.choice(_WORDS) for _ in range(count))

    items = (_ITEM.format(title=words(9), number=n, hour=n % 24, summary=words(70)) for n in range(entries))
    return f"{_HEAD}{''.join(items)}</channel>\n</rss>\n".encode()
