"""Which outputs of a Hugging Face model stand for which topic, and what a zero-shot model is asked. Pure."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from monitor.errors import ClassifierError

STATEMENTS = {
    "efficiency": "This news is about getting the same from AI with less money, hardware, memory, energy or time.",
    "capex": "This news is about money or capacity for AI data centres, chips and power, or about whether it pays off.",
    "geopolitics": "This news is about states that use power over AI or chips: export controls, security, rivalry.",
}
"""What a zero-shot model is asked about each of our topics, unless feeds.yaml says otherwise."""


def is_zero_shot(known: Sequence[str]) -> bool:
    """Tell from a model's labels whether it judges statements (natural language inference)."""
    return any(map(_entails, known))


def statements(topics: Sequence[str], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Return the statement that stands for each topic: the user's, else ours."""
    return tuple(labels.get(topic) or STATEMENTS.get(topic, f"This news is about {topic}.") for topic in topics)


def verdicts(name: str, known: Sequence[str]) -> tuple[int, int]:
    """Return the places of "contradiction" (or "not entailed") and "entailment" among an NLI model's outputs.

    Raises ClassifierError when the first cannot be told.
    """
    entailed = next(place for place, label in enumerate(known) if _entails(label))
    others = [place for place in range(len(known)) if place != entailed]
    against = [place for place in others if known[place].casefold().startswith(("contra", "not"))]
    if not against and len(others) != 1:
        raise ClassifierError(
            f"The model {name} has no label for a contradiction, so it cannot judge statements; its labels are "
            f"{', '.join(known)}. Choose another model."
        )
    return (against or others)[0], entailed


def places(name: str, known: Sequence[str], topics: Sequence[str], labels: Mapping[str, str]) -> tuple[int, ...]:
    """Return for each topic the place of its label among a sequence classifier's outputs.

    A topic's label is the one that ``labels`` names for it, else the one of its own name; case does not matter.
    Raises ClassifierError when a topic has none.
    """
    found = {label.casefold(): place for place, label in enumerate(known)}
    wanted = {topic: labels.get(topic, topic).casefold() for topic in topics}
    if missing := [topic for topic in topics if wanted[topic] not in found]:
        example = ", ".join(f"{topic}: {label}" for topic, label in zip(topics, cycle(known), strict=False))
        raise ClassifierError(
            f"The model {name} has no label for {', '.join(missing)}; its labels are {', '.join(known)}.\n"
            "Choose another model, or say in feeds.yaml which label means which topic, for instance:\n"
            f"classifier:\n  model: {name}\n  labels: {{{example}}}"
        )
    return tuple(found[wanted[topic]] for topic in topics)


def independent(name: str, known: Sequence[str], problem: str | None) -> bool:
    """Tell whether a sequence classifier's labels are judged one by one, or one of them is chosen.

    ``problem`` is the configuration's ``problem_type``; where it is None, the number of labels decides, as in
    transformers' own text-classification pipeline. Raises ClassifierError for a regression model.
    """
    if problem == "regression":
        raise ClassifierError(f"The model {name} gives amounts, not labels (regression); choose a classifier.")
    return problem == "multi_label_classification" or len(known) == 1


def _entails(label: str) -> bool:
    return label.casefold().startswith("entail")
