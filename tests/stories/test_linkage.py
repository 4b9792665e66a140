"""Average linkage on points of a line: who joins whom, and in which order."""

import random

from hypothesis import given
from hypothesis import strategies as st

from monitor.stories.linkage import Linkage


def linked(points: list[float], least: float, chance: random.Random | None = None) -> set[frozenset[float]]:
    """Join points whose distance is at most ``least`` on average."""
    members = {n: [point] for n, point in enumerate(points)}

    def value(one: int, other: int) -> float | None:
        apart = [abs(a - b) for a in members[one] for b in members[other]]
        return -sum(apart) / len(apart) if sum(apart) <= least * len(apart) else None

    def join(one: int, other: int) -> int:
        members[one] += members.pop(other)
        return one

    pairs = [(a, b) for a in members for b in members if a < b]
    if chance:
        chance.shuffle(pairs)
    Linkage(pairs, value, join).run()
    return {frozenset(together) for together in members.values()}


def test_near_points_join_and_far_ones_do_not() -> None:
    assert linked([0, 1, 10, 11], 2) == {frozenset({0, 1}), frozenset({10, 11})}


def test_a_chain_does_not_become_one_cluster() -> None:
    assert linked([0, 1.0, 2.1, 3.3, 4.6], 1.7) == {frozenset({0, 1.0}), frozenset({2.1, 3.3}), frozenset({4.6})}


def test_the_nearest_join_first() -> None:
    assert linked([0, 2, 3], 2.2) == {frozenset({0}), frozenset({2, 3})}


def test_only_neighbours_join() -> None:
    joined: list[tuple[int, int]] = []

    def join(one: int, other: int) -> int:
        joined.append((one, other))
        return min(one, other)

    Linkage([(1, 2), (3, 4)], lambda _one, _other: 1.0, join).run()

    assert joined == [(1, 2), (3, 4)]


@given(st.lists(st.integers(0, 60), unique=True, max_size=9), st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_does_not_matter(points: list[int], chance: random.Random) -> None:
    assert linked([*map(float, points)], 3, chance) == linked([*map(float, points)], 3)
