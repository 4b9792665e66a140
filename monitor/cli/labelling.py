"""Commands that hear what people say of items, and measure the model against it.

They need no lock: SQLite lets them and a running daemon take turns.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import click

from monitor import logs, wiring
from monitor.cli import figures
from monitor.cli.items import existing_store, read_all
from monitor.cli.options import config_option, load_config
from monitor.cli.review import Doubt, Review
from monitor.cli.statements import Misunderstood, from_flags
from monitor.config import Config
from monitor.errors import ClassifierError, MonitorError
from monitor.signals.classifier import Classifier
from monitor.signals.evaluation import Case, Judged, measured
from monitor.signals.labelled import read_labelled
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import open_classifier
from monitor.signals.settings import ClassifierSettings
from monitor.signals.text import model_text
from storage.labels import Known
from storage.records import Head
from storage.store import Store

RECENT = timedelta(days=90)
"""How old the items of a review may be."""


# label


@click.command(context_settings={"ignore_unknown_options": True})
@config_option
@click.option("--review", is_flag=True, help="Walk through recent items that the model is least sure about.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="With --review: how many items.")
@click.option("--topic", help="With --review: only doubts about this topic.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[ID] [--TOPIC | --not-TOPIC | --none | --clear]...")
def label(config_path: Path, review: bool, limit: int, topic: str | None, words: tuple[str, ...]) -> None:
    """Say what the item ID really is; the signals, counts and trends follow at once.

    \b
    monitor label 412 --capex --not-efficiency    two topics, the others stay open
    monitor label 412 --none                      it carries no topic at all
    monitor label 412 --clear                     forget what was said: the model's word holds again
    monitor label --review                        go through doubtful items

    `monitor query doubtful` shows ids; in SQL they are item_id. A label decides, whatever a model says;
    `monitor train` learns from labels, `monitor evaluate` measures the model on them.
    """  # noqa: D301 - click wants the backspace character itself
    config = load_config(config_path)
    topics = (*OnnxClassifier.open().topics, *config.own_topics())
    if review:
        _check_review(topic, topics, words)
        _review(config, topics, topic, limit)
        return
    if topic is not None:
        raise click.UsageError("--topic goes with --review; to say that an item carries a topic, write --capex")
    item_id = _item_id([word for word in words if not word.startswith("-")])
    _say(config, item_id, _statement([word for word in words if word.startswith("-")], topics))


def _check_review(topic: str | None, topics: Sequence[str], words: Sequence[str]) -> None:
    if words:
        raise click.UsageError(f"--review asks item by item: leave out {words[0]}")
    if topic is not None and topic not in topics:
        raise click.UsageError(f"there is no topic {topic!r}; topics: {', '.join(topics)}")


def _item_id(words: Sequence[str]) -> int:
    if len(words) != 1:
        raise click.UsageError(
            "name one item by its id: monitor label 412 --capex (`monitor query doubtful` shows ids)"
        )
    if not words[0].isdecimal():
        raise click.UsageError(f"an item's id is a whole number, not {words[0]!r}")
    return int(words[0])


def _statement(flags: Sequence[str], topics: Sequence[str]) -> dict[str, bool] | None:
    """Return what is said of the item; None when all that was said is to be forgotten."""
    if "--clear" in flags:
        if len(flags) > 1:
            raise click.UsageError("--clear forgets everything that was said of the item: give it no topics")
        return None
    try:
        return from_flags(flags, topics)
    except Misunderstood as error:
        raise click.UsageError(str(error)) from None


def _say(config: Config, item_id: int, said: Mapping[str, bool] | None) -> None:
    with existing_store(config) as store:
        if asyncio.run(store.known(item_id, {})) is None:
            raise click.UsageError(f"there is no item {item_id}; `monitor query doubtful` shows ids")
        if said is None:
            click.echo(f"labels forgotten: {asyncio.run(store.replace_labels(item_id, {}, wiring.utc_now()))}")
        else:
            asyncio.run(store.save_labels(item_id, said, wiring.utc_now()))
        models = {topic: model for topic, (model, _) in asyncio.run(store.thresholds()).items()}
        if known := asyncio.run(store.known(item_id, models)):
            click.echo(_standing(known))


def _standing(known: Known) -> str:
    """Tell as what an item counts now, and who says so."""
    counts = [f"{topic} ({_reason(known, topic)})" for topic in known.signals]
    denied = [topic for topic, carries in known.labels.items() if not carries]
    lines = [f"item {known.item.id}: {known.item.title}", f"  counts as: {', '.join(counts) or 'no topic'}"]
    return "\n".join([*lines, *([f"  you said it is not: {', '.join(denied)}"] if denied else [])])


def _reason(known: Known, topic: str) -> str:
    said = ["you said so"] if topic in known.labels else []
    likely = known.probabilities.get(topic)
    return "; ".join([*said, *([] if likely is None else [f"model {likely:.2f}"])]) or "an earlier model"


# label --review


def _review(config: Config, topics: Sequence[str], topic: str | None, limit: int) -> None:
    with existing_store(config) as store:
        limits = {name: threshold for name, (_, threshold) in asyncio.run(store.thresholds()).items()}
        found = asyncio.run(store.doubtful(wiring.utc_now() - RECENT, topic, limit))
        if not found:
            click.echo(_nothing_doubtful(bool(limits)))
            return
        walk = Review(store, _with_words(config, store, found), topics, limits, wiring.utc_now)
        walk.walk()
        click.echo(_farewell(walk.labels, len(walk.done)))


def _nothing_doubtful(decided: bool) -> str:
    if not decided:
        return "The database does not know yet which model decides: run `monitor run --once`, then come back."
    return (
        f"Nothing to ask: every item of the last {RECENT.days} days that the present model has read is labelled. "
        "`monitor reclassify` has it read older items."
    )


def _farewell(labels: int, items: int) -> str:
    if not labels:
        return "No labels given."
    then = "`monitor evaluate` measures the model, `monitor train` teaches it"
    return f"Labels given: {labels}; items: {items}. Next: {then}."


def _with_words(config: Config, store: Store, found: Sequence[Known]) -> list[Doubt]:
    """Add the words that decided: the stored ones, else (below the threshold) those that the classifier names now."""
    try:
        classifier = open_classifier(config.classifier, config.topics, asyncio.run(store.heads()))
        readings = classifier.read([_text(known) for known in found])
    except ClassifierError as error:
        click.echo(f"note: without the words that decided: {error}", err=True)
        return [Doubt(known, known.signals) for known in found]
    now = ({topic: score.words for topic, score in reading.scores.items()} for reading in readings)
    stored = ({topic: words for topic, words in known.signals.items() if words} for known in found)
    return [Doubt(known, {**new, **old}) for known, new, old in zip(found, now, stored, strict=True)]


def _text(known: Known) -> str:
    return model_text(known.item.title, known.item.summary)


# evaluate


@click.command()
@config_option
@click.option(
    "--model",
    type=click.Path(exists=True, file_okay=False),
    help="Measure the model in this folder, not the one of feeds.yaml.",
)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def evaluate(config_path: Path, model: str | None, form: str, file: Path | None) -> None:
    """Measure the model on all labels in the database, or on the labelled items of FILE.

    FILE holds lines such as {"lang": "en", "title": "…", "summary": "…", "labels": ["capex"]}: all topics that the item
    carries; it needs no database. Per topic and language: precision, recall, F1, average precision, calibration error.
    """
    config = load_config(config_path) if file is None or config_path.exists() else None
    if config is None:
        logs.configure("info", "auto")
    if file is not None:
        classifier, cases, notes = _on_file(config, model, file)
    elif config is not None:
        classifier, cases, notes = _on_labels(config, model)
    thresholds = wiring.thresholds(config, classifier) if config else classifier.thresholds
    rows = measured(cases, thresholds)
    notes += figures.too_few(rows)
    if form == "json":
        click.echo(json.dumps(figures.as_json(rows, classifier.models, notes), ensure_ascii=False, indent=1))
        return
    click.echo("\n".join([figures.table(rows, classifier.models), *(f"note: {note}" for note in notes)]))


def _on_file(config: Config | None, model: str | None, file: Path) -> tuple[Classifier, list[Case], list[str]]:
    """Read the file's items with the classifier. Topics of the user's own that the file never names are left out."""
    classifier = _classifier(config, model, _heads(config))
    items = read_labelled(file, classifier.topics)
    named = {topic for item in items for topic in item.topics}
    own = config.own_topics() if config else ()
    topics = [topic for topic in classifier.topics if topic in named or topic not in own]
    read = _probabilities(classifier, [model_text(item.title, item.summary) for item in items])
    cases = [
        Case(topic, item.lang, Judged(likely[topic], topic in item.topics))
        for item, likely in zip(items, read, strict=True)
        for topic in topics
    ]
    return classifier, cases, []


def _heads(config: Config | None) -> Sequence[Head]:
    if config is None or not config.database.exists():
        return ()
    with existing_store(config) as store:
        return asyncio.run(store.heads())


def _on_labels(config: Config, model: str | None) -> tuple[Classifier, list[Case], list[str]]:
    """Take what the classifier said of labelled items; read those that it has not read yet, and all for --model."""
    with existing_store(config) as store:
        classifier = _classifier(config, model, asyncio.run(store.heads()))
        found = asyncio.run(store.labelled({} if model else classifier.models))
    if not found:
        raise MonitorError("there are no labels yet; `monitor label --review` walks through the doubtful items")
    cases = [
        Case(topic, known.item.lang or "?", Judged(likely[topic], carries))
        for known, likely in zip(found, _said(classifier, found), strict=True)
        for topic, carries in known.labels.items()
        if topic in likely
    ]
    return classifier, cases, _notes(found, classifier.topics)


def _said(classifier: Classifier, found: Sequence[Known]) -> list[Mapping[str, float]]:
    """Return the probabilities of each item's topics."""
    topics = set(classifier.topics)
    missing = [known for known in found if topics & known.labels.keys() - known.probabilities.keys()]
    ids = [known.item.id for known in missing]
    read = dict(zip(ids, _probabilities(classifier, [_text(known) for known in missing]), strict=True))
    return [{**read.get(known.item.id, {}), **known.probabilities} for known in found]


def _notes(found: Sequence[Known], topics: Sequence[str]) -> list[str]:
    notes = ["Items from --review are the hard ones: over all items, expect better figures than on these."]
    strangers = sorted({topic for known in found for topic in known.labels} - set(topics))
    if strangers:
        notes.append(f"Left out are labels of topics that are not in use: {', '.join(strangers)}.")
    return notes


def _classifier(config: Config | None, model: str | None, heads: Sequence[Head]) -> Classifier:
    settings = config.classifier if config else ClassifierSettings()
    if model is not None:
        settings = settings.model_copy(update={"model": model})
    return open_classifier(settings, config.topics if config else {}, heads)


def _probabilities(classifier: Classifier, texts: Sequence[str]) -> list[dict[str, float]]:
    readings = read_all(classifier, texts, "reading items")
    return [{topic: score.probability for topic, score in one.scores.items()} for one in readings]
