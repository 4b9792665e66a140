"""What a classifier would say without some of the words: the slow and certain way to ask which words decided.

Each word costs a reading (a sixtieth of a second or so), so this is for `monitor explain` and for measuring the words
that come with every reading (DeYoung et al. 2020, ERASER: comprehensiveness).
"""

import re
from collections.abc import Iterable, Sequence

from monitor.signals.classifier import Classifier
from monitor.signals.odds import log_odds
from monitor.signals.words import Word, deciding, words


def without(text: str, phrases: Iterable[str]) -> str:
    """Return the text without these phrases, wherever they stand in it as whole words."""
    for phrase in sorted(phrases, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", " ", text)
    return " ".join(text.split())


def falls(classifier: Classifier, text: str, topic: str, left_out: Sequence[Word]) -> list[float]:
    """Return for each word by how much the topic's log-odds fall when it alone is left out. Raises ClassifierError."""
    variants = [" ".join(f"{text[: word.start]} {text[word.end :]}".split()) for word in left_out]
    whole, *others = (log_odds(reading.scores[topic].probability) for reading in classifier.read([text, *variants]))
    return [whole - other for other in others]


def deciding_words(classifier: Classifier, text: str, topic: str, most: int = 60) -> tuple[str, ...]:
    """Return the phrases that decided, strongest first, among the first ``most`` words. Raises ClassifierError.

    For topics whose classifier names none itself.
    """
    candidates = [word for word in words(text) if not word.function][:most]
    spans = [(word.start, word.end) for word in candidates]
    return deciding(text, spans, falls(classifier, text, topic, candidates))
