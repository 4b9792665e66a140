"""The gate for story grouping: floors under its scores on items that nothing learned from, pinned by hash."""

from hashlib import sha256

import pytest

from monitor.training.dataset import DATA
from monitor.training.story_exam import agreement, bcubed, in_batches
from monitor.training.story_pairs import Told, story_sets

EXAM = "stories_exam.jsonl"
DIGEST = "c2794855b62c2ee6dacdbe758b26b26c628648276e1bdd0dab130a6075ab823f"


@pytest.fixture(scope="module")
def exam() -> list[list[Told]]:
    assert sha256((DATA / EXAM).read_bytes()).hexdigest() == DIGEST, f"{EXAM} changed: measure anew, set new floors"
    return [sorted(told, key=lambda one: one.item.published) for told in story_sets(EXAM).values()]


def grouped(exam: list[list[Told]], size: int) -> list[tuple[int, int]]:
    return [(n, story) for n, told in enumerate(exam) for story in in_batches([one.telling for one in told], size)]


def test_stories_keep_their_floors(exam: list[list[Told]]) -> None:
    events = [(n, one.event) for n, told in enumerate(exam) for one in told]

    score = bcubed(grouped(exam, 64), events)

    assert score.f1 >= 0.86
    assert score.precision >= 0.90


def test_stories_hardly_depend_on_the_size_of_batches(exam: list[list[Told]]) -> None:
    assert agreement(grouped(exam, 64), grouped(exam, 16)) >= 0.85


def test_copies_are_always_found(exam: list[list[Told]]) -> None:
    for told in exam:
        found = in_batches([one.telling for one in told], 64)
        for one, story in zip(told, found, strict=True):
            if one.relation == "copy":
                assert story in [its for other, its in zip(told, found, strict=True) if other is not one]
