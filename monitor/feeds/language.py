"""Which language an entry is written in: what is declared, else what the text looks like."""

import functools
import re
from typing import Any

# Measured on headlines: right answers lie above 0.3, wrong ones ("OpenAI GPT-5" as Malagasy) below 0.15.
_SURE = 0.25
# A longer text is not told better, and costs more.
_ENOUGH = 120
_TAG = re.compile(r"([a-z]{2})(?:[-_].*)?", re.IGNORECASE | re.DOTALL)


def code(tag: str | None) -> str | None:
    """Reduce a language tag such as 'en-US' or 'zh_Hans' to two lower-case letters; None when it is no such tag."""
    match = _TAG.fullmatch((tag or "").strip())
    return match[1].lower() if match else None


def detect(text: str) -> str | None:
    """Guess the language of a text as two letters; None when it is too short or too mixed to tell."""
    if not text.strip():
        return None
    lang, probability = _identifier().classify(text[:_ENOUGH])
    return code(str(lang)) if probability >= _SURE else None


@functools.cache
def _identifier() -> Any:
    # Imported on first use: loading costs a second and 100 MB, and most feeds declare their language.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 - see above

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
