"""The command that shows which words decided about an item, or about a text."""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from monitor import wiring
from monitor.alerts.wording import one_line, percent
from monitor.cli.options import config_option, load_config
from monitor.config import Config
from monitor.signals.classifier import Classifier
from monitor.signals.explanation import TopicReason, as_json, near, reason
from monitor.signals.hub import HubClassifier
from monitor.signals.occlusion import deciding_words, without
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import open_classifier
from monitor.signals.reading import Score
from monitor.signals.text import model_text, readable
from storage.explained import item_with_verdicts, learned_heads
from storage.records import Item, Verdict

LONGEST = 4_000  # characters shown; the model reads less

UNREADABLE = (
    "The model cannot read this text: it knows Latin letters, and most letters here are of another script, "
    "or there are none. It keeps what it expects of any item, and the text carries no topic."
)

Part = tuple[str, str]
"""A piece of the output and its style, a key of STYLES."""

STYLES = {"": "", "head": "bold", "soft": "dim", "yes": "bold", "word": "bold underline"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is explained: a text, and where it comes from if it is an item."""

    text: str
    item: Item | None = None
    stored: Mapping[str, Verdict] = field(default_factory=dict)


@click.command()
@config_option
@click.option("--text", "title", help="Explain this text instead of a stored item; needs no database.")
@click.option("--summary", help="With --text: more of it, as an item's summary.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.argument("item_id", metavar="ID", type=int, required=False)
def explain(config_path: Path, title: str | None, summary: str | None, form: str, item_id: int | None) -> None:
    """Show for each topic of item ID how sure the model is, which words decided, and what it says without them.

    Where the database holds another word than the present model's (an earlier model's, or a person's), it is shown too.
    ID is the item_id of `signals_latest`. Or explain a text of yours with --text.
    """
    if (item_id is None) == (title is None):
        raise click.UsageError("give either the ID of an item, or a text with --text")
    if summary and title is None:
        raise click.UsageError("--summary goes with --text; an item has its own")
    config = load_config(config_path) if item_id is not None or config_path.exists() else None
    subject = _stored(config, item_id) if config and item_id is not None else _typed(title or "", summary or "")
    classifier = _classifier(config)
    reasons = _reasons(classifier, wiring.thresholds(config, classifier) if config else classifier.thresholds, subject)
    unread = not readable(subject.text) and not isinstance(classifier, HubClassifier)
    if form == "json":
        click.echo(_json(subject, reasons, unread))
    else:
        _print([*_heading(subject), *([[("", UNREADABLE)]] if unread else _topics(subject, reasons))])


def _stored(config: Config, item_id: int) -> Subject:
    item, verdicts = item_with_verdicts(config.database, item_id)
    return Subject(model_text(item.title, item.summary), item, verdicts)


def _typed(title: str, summary: str) -> Subject:
    if not title.strip() and not summary.strip():
        raise click.UsageError("--text is empty; write what the model shall read")
    return Subject(model_text(title, summary))


def _classifier(config: Config | None) -> Classifier:
    if config is None:
        return OnnxClassifier.open()
    return open_classifier(config.classifier, config.topics, learned_heads(config.database))


def _reasons(classifier: Classifier, thresholds: Mapping[str, float], subject: Subject) -> list[TopicReason]:
    (reading,) = classifier.read([subject.text])
    scores = {
        topic: _with_words(classifier, subject.text, topic, score) if near(score, thresholds[topic]) else score
        for topic, score in reading.scores.items()
    }
    fallen = _without_words(classifier, subject.text, scores)
    return [
        reason(topic, score, thresholds[topic], fallen.get(topic), subject.stored.get(topic))
        for topic, score in scores.items()
    ]


def _with_words(classifier: Classifier, text: str, topic: str, score: Score) -> Score:
    """Find the words by leaving each out, where the classifier names none: a topic of the user's own."""
    if score.words or not readable(text):
        return score
    return replace(score, words=deciding_words(classifier, text, topic))


def _without_words(classifier: Classifier, text: str, scores: Mapping[str, Score]) -> dict[str, float]:
    told = {topic: without(text, score.words) for topic, score in scores.items() if score.words}
    readings = classifier.read(list(told.values()))
    return {topic: one.scores[topic].probability for topic, one in zip(told, readings, strict=True)}


def _json(subject: Subject, reasons: Sequence[TopicReason], unread: bool) -> str:
    item = subject.item
    told = item and {
        "id": item.id,
        "title": item.title,
        "feed": item.feed,
        "published": item.published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "url": item.url,
    }
    topics = [] if unread else [as_json(one) for one in reasons]
    fields = {"item": told, "text": subject.text, "readable": not unread, "topics": topics}
    return json.dumps(fields, ensure_ascii=False, indent=1)


def _heading(subject: Subject) -> Iterator[list[Part]]:
    if item := subject.item:
        yield [("head", one_line(item.title, LONGEST))]
        yield [("soft", f"{one_line(item.feed, 80)} · {item.published:%Y-%m-%d %H:%M} UTC · item {item.id}")]
        if item.url:
            yield [("soft", one_line(item.url, LONGEST))]
        yield []


def _topics(subject: Subject, reasons: Sequence[TopicReason]) -> Iterator[list[Part]]:
    for one in reasons:
        verdict = "yes" if one.carries else "no"
        yield [
            ("head", one.topic),
            (verdict if one.carries else "", f": {verdict}, {percent(one.probability)}"),
            ("soft", f" (it counts from {one.threshold:.0%}; {one.model})"),
        ]
        if one.words:
            yield [("", f"  because: {' · '.join(one.words)}"), ("soft", _fall(one))]
            yield [("", "  "), *_marked(one_line(subject.text, LONGEST), one.words)]
        if one.stored:
            yield [("soft", f"  stored: {_told(one.stored)}")]


def _fall(one: TopicReason) -> str:
    return "" if one.without is None else f" (without these words: {percent(one.without)})"


def _marked(text: str, words: Sequence[str]) -> Iterator[Part]:
    longest_first = "|".join(re.escape(one_line(word, LONGEST)) for word in sorted(words, key=len, reverse=True))
    for place, part in enumerate(re.split(rf"(?<!\w)({longest_first})(?!\w)", text)):
        if part:
            yield ("word" if place % 2 else "", part)  # what the pattern matched stands at the odd places


def _told(stored: Verdict) -> str:
    said = "no model has read it" if stored.model is None else f"{stored.model} said {percent(stored.probability or 0)}"
    person = {None: "", True: "; a person says yes", False: "; a person says no"}[stored.label]
    return f"{said}; {'it counts' if stored.signal else 'it does not count'}{person}"


def _print(lines: Sequence[Sequence[Part]]) -> None:
    """Print with styles on a terminal, else with **marks** around the words."""
    if not sys.stdout.isatty():
        for line in lines:
            click.echo("".join(f"**{text}**" if style == "word" else text for style, text in line))
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 - as above

    console = Console(highlight=False)
    for line in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for style, text in line)))
