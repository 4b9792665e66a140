"""Add one feed: find it, try it, show what it brings, ask, write it down."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from monitor import wiring
from monitor.alerts.wording import counted, percent
from monitor.cli.feeds_asking import Visit, Visitor, as_feed, visiting
from monitor.cli.feeds_exchange import same_address
from monitor.cli.feeds_switching import draft, land
from monitor.cli.feeds_words import ago, newest
from monitor.cli.options import DURATION, config_option, load_config
from monitor.cli.tables import show
from monitor.config import Config, FeedSettings
from monitor.errors import ConfigError, FetchError
from monitor.feeds.clean import cut, one_line
from monitor.feeds.discovery import Candidate, discover, usual_places
from monitor.settings import format_duration
from monitor.signals.opening import open_classifier
from monitor.signals.text import model_text, readable
from monitor.yaml_editing import FeedsFile
from storage.explained import learned_heads
from storage.feed_records import Entry
from storage.reading import Answer

SHOWN = 5
TRIED = 5
_LONGEST_NAME, _WIDEST_TITLE = 80, 90

Choose = Callable[[Sequence[Candidate]], Sequence[Candidate]]
"""Gets the feeds of a page, and returns those to try, in that order, until one can be read."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user said about the new feed; None where nothing."""

    url: str
    name: str | None
    kind: str | None
    lang: str | None
    every: timedelta | None

    def entry(self, name: str, url: str) -> dict[str, Any]:
        """Return the entry for feeds.yaml."""
        said = {"lang": self.lang, "kind": self.kind, "every": self.every and format_duration(self.every)}
        return {"name": name, "url": url, **{key: value for key, value in said.items() if value is not None}}


@click.command("add")
@config_option
@click.option("--name", help="What to call it; by default its own title.")
@click.option("--kind", help="A word of yours, such as press; it is written behind the last feed of that kind.")
@click.option("--lang", help="Two-letter language code, when it is always the same.")
@click.option("--every", type=DURATION, help="A fixed interval instead of the feed's own pace.")
@click.option("--yes", "-y", is_flag=True, help="Ask nothing; of several feeds, take the first that can be read.")
@click.argument("url")
def add_(config_path: Path, yes: bool, url: str, **said: Any) -> None:
    """Add the feed at URL, or a feed of the page at URL, after a look at what it brings.

    Shows the latest titles with the topics that the classifier finds in them, asks, and writes the feed into
    feeds.yaml. Without a terminal to ask on, --yes is needed.
    """
    if not yes and not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask on; with --yes nothing is asked")
    wish = Wish(_whole(url), **said)
    _refuse_nonsense(wish)
    file = FeedsFile.read(config_path)
    config = load_config(config_path) if file.feeds else draft(file.with_feeds([wish.entry("new", wish.url)]))
    _refuse_known(file, wish.name, wish.url)
    visit = asyncio.run(find(config, wish, _first if yes else _ask))
    address = visit.fetched.moved_to or visit.feed.url
    name = wish.name or cut(one_line(visit.document.title), _LONGEST_NAME) or visit.feed.name
    _refuse_known(file, name, address)
    _show(visit, name, address, config)
    if not yes and not click.confirm(f"Add it to {config_path}?", default=True):
        click.echo("nothing was written")
        return
    land(file.with_feeds([wish.entry(name, address)]), f"added {name!r} to {config_path}")


def _whole(url: str) -> str:
    """Make a whole address of what people type or copy: example.org, feed://example.org/rss."""
    text = url.strip()
    for scheme in ("feed:https://", "feed:http://"):
        if text.lower().startswith(scheme):
            return text[len("feed:") :]
    if text.lower().startswith("feed://"):
        return "https://" + text[len("feed://") :]
    return text if "://" in text else f"https://{text}"


def _refuse_nonsense(wish: Wish) -> None:
    try:
        FeedSettings.model_validate(wish.entry("new" if wish.name is None else wish.name, wish.url))
    except ValidationError as error:
        first = error.errors()[0]
        where = {"url": "URL"}.get(str(first["loc"][0]), f"--{first['loc'][0]}")
        message = first["msg"].removeprefix("Value error, ").replace("String should", "should")
        raise click.UsageError(f"{where}: {message}") from None


def _refuse_known(file: FeedsFile, name: str | None, url: str) -> None:
    for feed in file.feeds:
        if same_address(str(feed["url"])) == same_address(url):
            paused = "" if feed.get("enabled", True) else " (paused; `monitor feeds resume` asks for it again)"
            raise ConfigError(f"{file.path} has this feed already, as {feed['name']!r}{paused}")
        if name is not None and str(feed["name"]).casefold() == name.casefold():
            raise ConfigError(
                f"{file.path} has another feed called {feed['name']!r} ({feed['url']}); choose a name with --name"
            )


# Finding


async def find(config: Config, wish: Wish, choose: Choose) -> Visit:
    """Return the first look at a feed that can be read, at the address or on its page. Raises FetchError."""
    async with visiting(config) as visitor:
        visit = await visitor.visit(_named(wish.url, wish))
        if visit.fetched.error is None:
            return visit
        if visit.fetched.body is None or visit.fetched.trouble != "content":
            raise FetchError(f"{wish.url}: {visit.fetched.error}", trouble=visit.fetched.trouble or "fault")
        page = visit.fetched.url or wish.url
        candidates = discover(visit.fetched.body.decode("utf-8", "replace"), page)
        if candidates:
            return await _first_readable(visitor, wish, choose(candidates))
        click.echo(f"{wish.url} names no feed; trying the usual addresses", err=True)
        return await _first_readable(visitor, wish, [Candidate(place) for place in usual_places(page)])


async def _first_readable(visitor: Visitor, wish: Wish, candidates: Sequence[Candidate]) -> Visit:
    failures = []
    for candidate in candidates:
        visit = await visitor.visit(_named(candidate.url, wish))
        if visit.fetched.error is None:
            return visit
        failures.append(f"  {candidate.url}: {visit.fetched.error}")
    tried = "\n".join(failures)
    raise FetchError(f"no feed was found at {wish.url}; look on the site for a link called RSS. Tried:\n{tried}")


def _named(url: str, wish: Wish) -> Any:
    return as_feed(wish.name or url.split("/")[2], url, wish.lang)


def _first(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    if len(candidates) > 1:
        click.echo(f"the page names {len(candidates)} feeds; taking the first that can be read", err=True)
    return candidates[:TRIED]


def _ask(candidates: Sequence[Candidate]) -> Sequence[Candidate]:
    if len(candidates) == 1:
        click.echo(f"the page names its feed: {candidates[0].url}")
        return candidates
    click.echo(f"the page names {len(candidates)} feeds:")
    rows = [(number, one.title or None, one.url) for number, one in enumerate(candidates, 1)]
    show(Answer(("", "title", "url"), rows), "table")
    number: int = click.prompt("Which one?", type=click.IntRange(1, len(candidates)), default=1)
    return [candidates[number - 1]]


# Showing


def _show(visit: Visit, name: str, address: str, config: Config) -> None:
    document, now = visit.document, wiring.utc_now()
    latest = newest(document.entries)
    facts = [
        f"language {document.lang}" if document.lang else "its language is not declared",
        counted(document.found, "entry", "entries"),
        f"the newest {ago(latest, now)}" if latest else "without dates: they count by when they are seen",
    ]
    click.echo(f"{name}\n{address}\n{', '.join(facts)}")
    if address != visit.feed.url:
        click.echo(f"(moved for good from {visit.feed.url})")
    if document.entries:
        show(Answer(("published", "title", "topics"), _latest(document.entries, config)), "table")


def _latest(entries: Sequence[Entry], config: Config) -> list[tuple[str, str, str]]:
    """Return the newest entries with what the classifier finds in them."""
    dated = sorted(entries, key=lambda entry: entry.published.timestamp() if entry.published else 0.0, reverse=True)
    shown = dated[:SHOWN]
    classifier = open_classifier(config.classifier, config.topics, learned_heads(config.database))
    limits = wiring.thresholds(config, classifier)
    texts = [model_text(entry.title, entry.summary) for entry in shown]
    rows = []
    for entry, text, reading in zip(shown, texts, classifier.read(texts), strict=True):
        found = {topic: score.probability for topic, score in reading.scores.items()}
        said = ", ".join(f"{topic} {percent(p)}" for topic, p in found.items() if p >= limits[topic])
        date = f"{entry.published:%Y-%m-%d %H:%M}" if entry.published else ""
        rows.append((date, cut(entry.title, _WIDEST_TITLE), said or ("none" if readable(text) else "cannot be read")))
    return rows
