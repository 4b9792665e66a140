"""What is well-formed in feeds.yaml and still cannot work: each with its place, and what to do."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from monitor.yaml_file import Problem
from storage.prepared import complaints

if TYPE_CHECKING:
    from monitor.config import Config


def contradictions(config: "Config", topics: tuple[str, ...]) -> Iterator[Problem]:
    """Yield what cannot work; ``topics`` are those that the model knows."""
    yield from _repeated_feeds(config)
    yield from _unknown_topics(config, topics)
    yield from _rules(config)
    yield from _queries(config)
    if config.classifier.labels and config.classifier.model is None:
        yield Problem(("classifier", "labels"), "these belong to a model of your choice; name it with `model:`")


def _repeated_feeds(config: "Config") -> Iterator[Problem]:
    if not any(feed.enabled for feed in config.feeds):
        yield Problem(("feeds",), "list at least one feed, with name and url, that is not disabled")
    for field in ("name", "url"):
        first: dict[str, int] = {}
        for index, feed in enumerate(config.feeds):
            if (before := first.setdefault(getattr(feed, field), index)) != index:
                yield Problem(("feeds", index, field), f"feeds.{before} has the same {field}; each must be unique")


def _unknown_topics(config: "Config", known: tuple[str, ...]) -> Iterator[Problem]:
    hint = f"the model knows {', '.join(known)}"
    own = config.own_topics()
    for topic, settings in config.topics.items():
        if topic not in (*known, *own):
            yield Problem(("topics", topic), f"there is no such topic; {hint}; give it `examples:` to make it your own")
        elif topic in known and topic in own:
            yield Problem(("topics", topic, "examples"), "the model has this topic already; choose another name")
        elif settings.examples is not None and not settings.examples.is_file():
            yield Problem(("topics", topic, "examples"), f"there is no file {settings.examples}")
    for index, rule in enumerate(config.alerts):
        for topic in getattr(rule, "topics", ()):
            if topic not in (*known, *own):
                yield Problem(("alerts", index, "topics"), f"there is no topic {topic!r}; {hint}")


def _rules(config: "Config") -> Iterator[Problem]:
    """Check what rules name: themselves, channels, feeds and other rules."""
    names: dict[str, int] = {}
    for index, rule in enumerate(config.alerts):
        if (before := names.setdefault(rule.name, index)) != index:
            yield Problem(("alerts", index, "name"), f"alerts.{before} has the same name; each must be unique")
    feeds = [feed.name for feed in config.feeds]
    for index, rule in enumerate(config.alerts):
        others = [name for name in names if name != rule.name]
        yield from _unknown(index, "send", rule.send, "channel", list(config.channels))
        yield from _unknown(index, "feeds", tuple(getattr(rule, "feeds", ())), "feed", feeds)
        yield from _unknown(index, "muted_by", rule.muted_by, "other rule", others)
        yield from _muted_by_nothing(config, index)
        yield from _unknown(index, "all", getattr(rule, "rules_named", ()), "other rule", others)


def _muted_by_nothing(config: "Config", index: int) -> Iterator[Problem]:
    """Refuse to wait for rules that tell of no topic: what they tell can be told by nobody else."""
    kinds = {rule.name: rule.rule for rule in config.alerts}
    for name in config.alerts[index].muted_by:
        if kinds.get(name) in {"silence", "feeds", "query", "digest"}:
            what = f"{name!r} is a rule of kind {kinds[name]}, which tells of no topic: it can mute nothing"
            yield Problem(("alerts", index, "muted_by"), what)


def _unknown(index: int, field: str, named: tuple[str, ...], what: str, known: list[str]) -> Iterator[Problem]:
    for name in named:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known[:20]) or 'none'}"
            yield Problem(("alerts", index, field), f"there is no {what} {name!r}; {hint}")


def _queries(config: "Config") -> Iterator[Problem]:
    """Let SQLite look at the statements of rules, on an empty database."""
    asked = {index: rule.sql for index, rule in enumerate(config.alerts) if hasattr(rule, "sql")}
    for index, complaint in complaints(asked).items():
        yield Problem(("alerts", index, "sql"), complaint)
