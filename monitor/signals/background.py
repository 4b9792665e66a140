"""Ordinary AI news, as a model's embeddings: what a topic of the user's own is told apart from.

``background.npz`` lies in the model's folder and is made with the model (monitor.training.background). It holds the
vectors as 8-bit integers with a scale for each, the model's name, and the SHA-256 of its weights: embeddings of another
model mean nothing.
"""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.errors import ClassifierError
from monitor.signals.onnx_classifier import Card

if TYPE_CHECKING:
    from monitor.signals.logistic import Numbers

BACKGROUND = "background.npz"
_REBUILD = "Rebuild it with `python -m monitor.training.background --model DIR`, or reinstall the program."


def read_background(path: Path, card: Card) -> "Numbers":
    """Return the embeddings, one row for each item. Raises ClassifierError when the file is not this model's."""
    import numpy as np  # noqa: PLC0415 - most runs have no topic of their own

    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            model, sha256 = str(file["model"]), str(file["sha256"])
            vectors = file["vectors"].astype(np.float64) * file["scales"].astype(np.float64)[:, None]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ClassifierError(
            f"Topics of your own need {path}, which is missing or damaged ({error}). {_REBUILD}"
        ) from error
    if (model, sha256) != (card.name, card.sha256):
        raise ClassifierError(f"{path} was made with another model ({model}) than {card.name} here. {_REBUILD}")
    return np.asarray(vectors)
