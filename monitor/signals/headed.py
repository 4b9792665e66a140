"""A classifier some of whose topics are decided by heads on the embedding of a model of ours."""

import threading
from collections.abc import Sequence

from monitor.signals.classifier import Classifier
from monitor.signals.heads import probability
from monitor.signals.own_topics import OwnTopic
from monitor.signals.reading import Reading, Score
from storage.records import Head

OWN_THRESHOLD = 0.5


class HeadedClassifier:
    """Asks ``reader`` for its topics, ``encoder`` (the same model, or another) for embeddings, the heads for theirs.

    A head for a topic of the reader replaces what the reader says. Each of ``own`` adds a topic; its head is fitted
    when the classifier is loaded.
    """

    def __init__(
        self, encoder: Classifier, reader: Classifier, heads: Sequence[Head], own: Sequence[OwnTopic] = ()
    ) -> None:
        self._encoder, self._reader = encoder, reader
        self._heads, self._unfitted = list(heads), list(own)
        self._lock = threading.Lock()
        self.name = reader.name
        learned = {head.topic: head.model for head in heads}
        self.models = {**reader.models, **learned, **{topic.name: topic.model for topic in own}}
        self.topics = tuple(self.models)
        self.thresholds = {**dict.fromkeys(self.topics, OWN_THRESHOLD), **reader.thresholds}

    def load(self) -> None:
        """Load both models and fit the user's own topics; do nothing the second time. Raises ClassifierError."""
        self._encoder.load()
        self._reader.load()
        with self._lock:
            while self._unfitted:
                self._heads.append(self._unfitted[-1].head(self._encoder))
                self._unfitted.pop()

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """Return a reading of each text, in order. Raises ClassifierError."""
        self.load()
        encoded = self._encoder.read(texts)
        said = encoded if self._reader is self._encoder else self._reader.read(texts)
        return [self._with_heads(one, other) for one, other in zip(encoded, said, strict=True)]

    def _with_heads(self, encoded: Reading, said: Reading) -> Reading:
        scores = dict(said.scores)
        for head in self._heads:
            scores[head.topic] = _score(head, encoded, scores.get(head.topic))
        return Reading({topic: scores[topic] for topic in self.topics}, encoded.embedding)


def _score(head: Head, encoded: Reading, before: Score | None) -> Score:
    """Ask a head; a text without embedding keeps what was said before, and carries no topic of the user's own."""
    if encoded.embedding is None:
        return Score(before.probability if before else 0.0, head.model)
    if before is None:
        return Score(probability(head, encoded.embedding), head.model)
    return Score(probability(head, encoded.embedding, before.probability), head.model, before.words)
