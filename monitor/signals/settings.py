"""What feeds.yaml says about the classifier and its topics."""

from pathlib import Path

from pydantic import Field

from monitor.settings import Settings


class TopicSettings(Settings):
    """A topic of the model, or one of the user's own, made from examples."""

    threshold: float | None = Field(
        None, gt=0, lt=1, description="How sure the model must be before an item counts; by default the model's own."
    )
    examples: Path | None = Field(
        None,
        description="Makes this a topic of your own: a JSON Lines file of about 30 items that carry it, "
        "relative to the folder of feeds.yaml.",
    )


class ClassifierSettings(Settings):
    """Which model reads the items."""

    model: str | None = Field(
        None,
        min_length=1,
        description="By default the shipped model. Else a folder that `monitor train --full` wrote, or a Hugging Face "
        "sequence-classification or zero-shot model (org/name, or a folder), which needs torch.",
    )
    labels: dict[str, str] = Field(
        {},
        description="For another model: topic → the name of the model's label; for a zero-shot model: topic → the "
        "statement that it should judge.",
    )
