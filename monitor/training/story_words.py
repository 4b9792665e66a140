"""Counts how common words are in the training items: ``python -m monitor.training.story_words`` writes the table.

monitor.stories.names weighs a word that two texts share by how rare it is. Words are kept as stems, in bands by the
number of items that say them; what fewer than FEWEST items say is rare anyway and left out.
"""

import sys
from collections import Counter
from pathlib import Path
from textwrap import wrap

from monitor.stories.names import stems
from monitor.training.dataset import training_examples

TABLE = Path(__file__).parents[1] / "stories" / "common_words.py"
FEWEST = 6
_HEAD = '''"""How common words are in AI news: stems by the least number of items, out of ITEMS, that say them.

Written by ``python -m monitor.training.story_words``; not to be edited. A band holds words up to twice as common.
"""
'''


def main() -> int:
    """Write the table; return the exit code."""
    TABLE.write_text(table(), encoding="utf-8")
    print(f"{TABLE.name} written")
    return 0


def table() -> str:
    """Return the source of monitor/stories/common_words.py."""
    texts = [f"{one.title} . {one.summary}" for one in training_examples()]
    counts = Counter(stem for text in texts for stem in stems(text))
    bands: dict[int, list[str]] = {}
    for stem, count in sorted(counts.items()):
        if count >= FEWEST and stem.isascii():
            bands.setdefault(1 << (count.bit_length() - 1), []).append(stem)
    lines = [_HEAD, f"ITEMS = {len(texts)}", "COMMON = {"]
    for band, words in sorted(bands.items()):
        lines += [f'    {band}: """', *wrap(" ".join(words), 118, initial_indent="", break_on_hyphens=False), '""",']
    return "\n".join([*lines, "}", ""])


if __name__ == "__main__":
    sys.exit(main())
