"""The text that the model sees: one line made of title and summary. Pure; training uses the same function."""

_SENTENCE_ENDS = ".!?…:;"


def model_text(title: str, summary: str) -> str:
    """Join title and summary as two sentences on one line; a summary that repeats the title is enough by itself."""
    head, tail = _one_line(title), _one_line(summary)
    if not head or not tail:
        return head or tail
    if tail.startswith(head):
        return tail
    return f"{head} {tail}" if head[-1] in _SENTENCE_ENDS else f"{head}. {tail}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
