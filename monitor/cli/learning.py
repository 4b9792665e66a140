"""The command that learns from people's labels. It needs no lock: SQLite lets it and a running daemon take turns."""

import asyncio
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor import wiring
from monitor.cli.items import existing_store, read_all
from monitor.cli.options import config_option, load_config
from monitor.cli.tables import show
from monitor.config import Config
from monitor.errors import ClassifierError, ConfigError
from monitor.signals.onnx_classifier import OnnxClassifier
from monitor.signals.opening import model_folder, usable
from monitor.signals.text import model_text
from storage import reading
from storage.heads import LabelledItem, labelled, tagged
from storage.records import Head

if TYPE_CHECKING:
    from monitor.signals.learning import Lesson
    from monitor.training.dataset import Example

_COLUMNS = ("topic", "labels", "positive", "model_f1", "model_loss", "own_f1", "own_loss", "verdict")


@click.command()
@config_option
@click.option("--full", is_flag=True, help="Retrain the whole network on the project's items and your labels.")
@click.option("--base", type=click.Path(file_okay=False, path_type=Path), help="With --full: the pretrained model.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="With --full: where to write the model.")
def train(config_path: Path, full: bool, base: Path | None, out: Path | None) -> None:
    """Learn from the labels: fit a correction of the model for each topic, in seconds.

    A correction is used only where it wins on labels held back from it, by lower log-loss and no lower F1; otherwise
    the topic keeps the model as it is. 20 labels a topic are the least, of both kinds. Nothing else changes: what was
    tagged stays until `monitor reclassify`. The daemon may run meanwhile.

    --full trains the whole network anew, which takes hours and needs torch: see docs/topics.md.
    """
    if not full and (base or out):
        raise click.UsageError("--base and --out go with --full")
    if full and base is None:
        raise click.UsageError("--full needs --base: the folder of the pretrained model (docs/model.md says which)")
    config = load_config(config_path)
    folder = model_folder(config.classifier)
    if folder is None:
        raise ConfigError(
            f"labels can teach only a model of this program, and `classifier: model:` names {config.classifier.model}; "
            "leave it out, or name a folder that `monitor train --full` wrote"
        )
    if base is not None:
        _retrain(config, base, out or config.database.parent / "model")
    else:
        _correct(config, OnnxClassifier.open(folder))


# The correction


def _correct(config: Config, encoder: OnnxClassifier) -> None:
    thresholds = wiring.thresholds(config, encoder)
    with existing_store(config) as store:
        before, said = asyncio.run(store.heads()), labelled(config.database)
        lessons = _lessons(encoder, said, thresholds)
        learned = [lesson.head for lesson in lessons if lesson.head is not None]
        asyncio.run(store.save_heads(learned, wiring.utc_now()))
    show(reading.Answer(_COLUMNS, [_row(lesson) for lesson in lessons]), "table")
    for line in [*_notes(encoder, said), *_changes(before, learned, encoder), *_next(before, learned, encoder)]:
        click.echo(line)


def _lessons(encoder: OnnxClassifier, said: Sequence[LabelledItem], thresholds: Mapping[str, float]) -> "list[Lesson]":
    from monitor.signals.learning import Labelled, learn  # noqa: PLC0415 - numpy, which few commands need

    mine = [one for one in said if one.topic in encoder.topics]
    texts = {one.item_id: model_text(one.title, one.summary) for one in mine}
    read = dict(zip(texts, read_all(encoder, list(texts.values()), "reading labelled items"), strict=True))
    seen: dict[str, list[Labelled]] = {topic: [] for topic in encoder.topics}
    for one in mine:
        found = read[one.item_id]
        if found.embedding is not None:  # of a text that the model cannot read there is nothing to learn
            says = found.scores[one.topic].probability
            seen[one.topic].append(Labelled(found.embedding, says, one.carries, one.story))
    return [learn(topic, labels, thresholds[topic], encoder.name) for topic, labels in seen.items()]


def _row(lesson: "Lesson") -> tuple[object, ...]:
    held = (lesson.before, lesson.after)
    figures = [figure for one in held for figure in ((round(one.f1, 3), round(one.loss, 3)) if one else (None, None))]
    return (lesson.topic, lesson.labels, lesson.positives, *figures, lesson.verdict)


def _notes(encoder: OnnxClassifier, said: Sequence[LabelledItem]) -> Iterator[str]:
    if not said:
        yield "There are no labels yet: `monitor label --review` walks through the doubtful items."
    others = sorted({one.topic for one in said} - set(encoder.topics))
    if others:
        yield (
            f"Labels of {', '.join(others)} teach nothing here: a topic of your own learns from its file of examples; "
            "add lines there."
        )


def _changes(before: Sequence[Head], learned: Sequence[Head], encoder: OnnxClassifier) -> Iterator[str]:
    """Tell what became of earlier corrections."""
    used = usable(before, encoder)
    for head in before:
        if head not in used:
            yield f"{head.topic}: the correction of {head.base} was not in use with {encoder.name}, and is gone."
        elif head.topic not in {new.topic for new in learned}:
            yield f"{head.topic}: the earlier correction no longer wins and is gone."


def _next(before: Sequence[Head], learned: Sequence[Head], encoder: OnnxClassifier) -> Iterator[str]:
    if {head.model for head in usable(before, encoder)} == {head.model for head in learned}:
        yield "Nothing changes."
        return
    yield "A running daemon takes this over when it gets SIGHUP or is restarted."
    yield "`monitor reclassify --since 30d` tags what is stored anew."


# The whole network


def _retrain(config: Config, base: Path, out: Path) -> None:
    from monitor.training import train as training  # noqa: PLC0415 - numpy and more, which few commands need

    training.require_torch()
    if not (base / "model.safetensors").is_file():
        raise ClassifierError(f"{base / 'model.safetensors'} is missing; docs/model.md says how to get the base model")
    extra = _examples(config)
    if not extra:
        raise ConfigError("there are no labels yet; `monitor label --review` walks through the doubtful items")
    mark = hashlib.sha256(repr([(one.title, one.summary, sorted(one.topics)) for one in extra]).encode()).hexdigest()
    name = f"{training.NAME}+full-{mark[:6]}"
    training.train(base, out, extra, work=Path(f"{out}.work"), name=name)
    click.echo(f"{name} learned from {len(extra)} labelled items. To use it, write in feeds.yaml:")
    click.echo(f"classifier: {{model: {out.absolute()}}}")
    click.echo(f"`monitor evaluate --model {out.absolute()} FILE` measures it. {out}.work may be deleted.")


def _examples(config: Config) -> "list[Example]":
    """Return the labelled items; where a person did not speak of a topic, the model's present word stands."""
    from monitor.training.dataset import TOPICS, Example  # noqa: PLC0415 - as above

    with existing_store(config):  # brings the database up to date
        items = tagged(config.database, TOPICS)
    return [Example(one.title, one.summary, one.lang or "?", one.topics, one.story) for one in items]
