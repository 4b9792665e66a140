"""The story data, and what is fitted on it."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from monitor.stories.likeness import FEATURES
from monitor.stories.weights import READ, UNREAD
from monitor.training.dataset import DATA, json_lines
from monitor.training.story_pairs import Told, pairs, untimed, weights

SETS = {"stories_fit.jsonl": {"a", "b"}, "stories_exam.jsonl": {"c", "d"}}


@pytest.mark.parametrize("name", SETS)
def test_every_event_of_the_story_data_has_a_first_telling_and_lasts_some_days(name: str) -> None:
    events: dict[tuple[object, object], list[dict[str, object]]] = {}
    for _, fields in json_lines(DATA / name):
        events.setdefault((fields["set"], fields["event"]), []).append(fields)

    assert {which for which, _ in events} == SETS[name]
    for tellings in events.values():
        hours = [float(str(one["hours"])) for one in tellings]
        first = [float(str(one["hours"])) for one in tellings if one["relation"] == "first"]
        assert first == [min(hours)]
        assert max(hours) - min(hours) <= 80


def test_nothing_of_the_exam_is_learned_from() -> None:
    fit, exam = ({(f["title"], f["summary"]) for _, f in json_lines(DATA / name)} for name in SETS)

    assert not fit & exam


@pytest.fixture(scope="module")
def told() -> list[Told]:
    return untimed("retellings.jsonl")


def test_untimed_items_get_times_near_the_others_of_their_event(told: list[Told]) -> None:
    hours = {event: [one.item.published for one in told if one.event == event] for event in {o.event for o in told}}

    assert Counter(max(times) - min(times) < timedelta(hours=36) for times in hours.values())[True] > 0.8 * len(hours)


def test_pairs_are_those_near_in_time_with_all_that_is_weighed(told: list[Told]) -> None:
    rows, same = pairs([told[:12]])

    assert rows.shape == (len(same), 1 + len(FEATURES))
    assert 0 < same.sum() < len(same) <= 12 * 11 / 2


def test_weights_find_what_tells_events_apart() -> None:
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(4000, 2))
    same = (chance.random(4000) < 1 / (1 + np.exp(-(2 * rows[:, 0] - 1)))).astype(float)

    assert weights(rows, same) == pytest.approx([-1, 2, 0], abs=0.2)


def test_the_shipped_weights_speak_for_likeness_and_against_distance() -> None:
    names = ("bias", "cosine", *FEATURES)
    read, unread = dict(zip(names, READ, strict=True)), dict(zip(("bias", *FEATURES), UNREAD, strict=True))

    assert min(read["cosine"], read["rare words"], read["amounts"], unread["rare words"], unread["amounts"]) > 0
    for shipped in (read, unread):
        assert max(shipped["bias"], shipped["contradictions"], shipped["days"], shipped["same feed"]) < 0
