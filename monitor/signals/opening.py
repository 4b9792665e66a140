"""Opens the classifier that feeds.yaml asks for: a model, a person's corrections to it, and the user's own topics."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from monitor.signals.classifier import Classifier
from monitor.signals.headed import HeadedClassifier
from monitor.signals.hub import HubClassifier
from monitor.signals.onnx_classifier import CARD, SHIPPED, OnnxClassifier
from monitor.signals.own_topics import own_topics
from monitor.signals.settings import ClassifierSettings, TopicSettings
from storage.records import Head


def open_classifier(
    settings: ClassifierSettings, topics: Mapping[str, TopicSettings], heads: Sequence[Head] = ()
) -> Classifier:
    """Open what the settings name, without loading it. ``heads`` are what `monitor train` learned from labels.

    Raises ClassifierError when a model is missing or damaged, ConfigError when a topic's examples are.
    """
    folder = model_folder(settings)
    encoder = OnnxClassifier.open(folder or SHIPPED)
    reader = encoder if folder else HubClassifier.open(settings, encoder.topics)
    learned = usable(heads, encoder) if folder else []
    own = own_topics(topics, folder or SHIPPED)
    return HeadedClassifier(encoder, reader, learned, own) if learned or own else reader


def model_folder(settings: ClassifierSettings) -> Path | None:
    """Return the folder of the model of ours that the settings name (by default the shipped one); None for another."""
    if settings.model is None:
        return SHIPPED
    folder = Path(settings.model)
    return folder if (folder / CARD).is_file() else None


def usable(heads: Sequence[Head], encoder: Classifier) -> list[Head]:
    """Return the heads that were learned for this model: on another's embeddings their weights mean nothing."""
    return [head for head in heads if head.base == encoder.name and head.topic in encoder.topics]
