"""How much each further telling of a story is worth: RavenPack's published chain, 100, 75, 56, 42, 32, 24 percent."""

from math import floor

FURTHER = 0.05
"""What a story's second telling weighs, its first being 1."""
KEPT = 0.75
"""How much of that is left with each telling after it."""


def novelty(rank: int) -> int:
    """Return the novelty, in percent, of the telling that is number ``rank`` (from 1) of its story."""
    return round(100 * KEPT ** (rank - 1))


def weight(rank: int) -> float:
    """Return what the telling that is number ``rank`` (from 1) of its story adds to a day's weight, in millionths.

    The weights of one story never sum up to more than 1.2, however often it is told: 1 + 0.05 / (1 - 0.75).
    """
    return 1.0 if rank == 1 else floor(1e6 * FURTHER * KEPT ** (rank - 2)) / 1e6
