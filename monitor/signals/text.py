"""The text that the model sees, and whether it can read it. Pure; training makes its texts here too."""

_SENTENCE_ENDS = ".!?…:;"


def model_text(title: str, summary: str) -> str:
    """Join title and summary as two sentences on one line; a summary that repeats the title is enough by itself."""
    head, tail = _one_line(title), _one_line(summary)
    if not head or not tail:
        return head or tail
    if tail.startswith(head):
        return tail
    return f"{head} {tail}" if head[-1] in _SENTENCE_ENDS else f"{head}. {tail}"


def readable(text: str) -> bool:
    """Tell whether most letters of the text are Latin: the model knows no others and takes them for noise."""
    letters = [letter for letter in text if letter.isalpha()]
    return 2 * sum(map(_is_latin, letters)) > len(letters)


def _is_latin(letter: str) -> bool:
    return letter < "\u0250" or "\u1e00" <= letter <= "\u1eff"  # up to Latin Extended-B; Latin Extended Additional


def _one_line(text: str) -> str:
    return " ".join(text.split())
