"""What state a topic is in: an online hidden-Markov filter over normal days, surges and drops.

Each state multiplies what is expected: ×1 normally, ×1.8, ×3, ×6 in a surge, ×0.45, ×0.12 in a drop. Entering one is
rare, staying likely, and the counts of each hour move the belief (Jackson et al. 2007, BMC MIDM 7:6, for the idea;
docs/trends.md for this form). Counts are negative binomial with a size that is proportional to what is expected. Then
the log likelihood of a state against the normal one is linear, stories times `gain` minus expected stories times
`cost`: hours add up to days, and it does not matter in which pieces time is cut.

Arrays are written (..., S): any leading axes, S states in the order of MULTIPLES.
"""

from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.float64]"

MULTIPLES = (1.0, 1.8, 3.0, 6.0, 0.45, 0.12)
SURGES = slice(1, 4)
DROPS = slice(4, 6)
_ENTER = (0.003, 0.003, 0.0015, 0.0012, 0.0008)  # a day, from normal
_STAY = (0.85, 0.80, 0.65, 0.85, 0.85)  # a day
_CALM_DOWN = 0.15  # of those that leave a state, how many only go to the milder one
_LEAST = 1e-12  # of a probability: no belief is so firm that counts could not move it
_LEAST_DISPERSION = 1.02  # the formulas divide by dispersion - 1


def log_ratios(told: "Array", expected: "Array", dispersion: "Array", spread_out: "Array | float" = 1.0) -> "Array":
    """Return the log likelihood (..., S) of so many stories in each state, against the normal one.

    ``expected`` stories (...) have a variance of ``dispersion`` times their mean. ``spread_out`` (...) tells how many
    of the stories that a surge adds fall into this hour, relative to the usual ones: they come at all hours of the
    day, where the usual ones may all come at noon.
    """
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    usual = np.array(MULTIPLES)
    added = np.asarray(spread_out)[..., None] * (usual - 1).clip(0)
    multiples = np.minimum(usual, 1) + added
    clumps = np.maximum(dispersion, _LEAST_DISPERSION)[..., None] - 1
    widened = np.log((1 + multiples * clumps) / (1 + clumps))
    ratios: Array = told[..., None] * (np.log(multiples) - widened) - expected[..., None] * widened / clumps
    return ratios


def calm(*shape: int) -> "Array":
    """Return the belief (*shape, S) that all is normal, as far as one knows without counts."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    return np.broadcast_to(np.linalg.matrix_power(_day(), 400)[0], (*shape, len(MULTIPLES)))


def after_day(belief: "Array", ratios: "Array") -> "Array":
    """Return the belief (..., S) after a whole day with these log likelihoods (..., S)."""
    return _weighed(belief @ _day(), ratios)


def after_hour(belief: "Array", ratios: "Array") -> "Array":
    """Return the belief (..., S) after an hour, or the part of it that is over, with these log likelihoods (..., S)."""
    return _weighed(belief @ _hour(), ratios)


def _weighed(belief: "Array", ratios: "Array") -> "Array":
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    weighed = np.maximum(belief, _LEAST) * np.exp(ratios - ratios.max(-1, keepdims=True))
    normalised: Array = weighed / weighed.sum(-1, keepdims=True)
    return normalised


def log_odds(belief: "Array", states: slice) -> "Array":
    """Return the log odds (...) of these states against all others."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    inside = belief[..., states].sum(-1).clip(_LEAST, 1 - _LEAST)
    odds: Array = np.log(inside / (1 - inside))
    return odds


@cache
def _day() -> "Array":
    """Return the chances (S, S) to go from state to state within a day."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    chances = np.zeros((len(MULTIPLES), len(MULTIPLES)))
    chances[0] = (1 - sum(_ENTER), *_ENTER)
    for state, (stay, milder) in enumerate(zip(_STAY, (0, 1, 2, 0, 4), strict=True), start=1):
        chances[state, state] = stay
        chances[state, 0] += (1 - stay) * (1 - _CALM_DOWN)
        chances[state, milder] += (1 - stay) * _CALM_DOWN
    return chances


@cache
def _hour() -> "Array":
    """Return the same for an hour: the matrix whose 24th power is that of a day."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    values, vectors = np.linalg.eig(_day())
    root = (vectors * values ** (1 / 24)) @ np.linalg.inv(vectors)
    positive = np.real(root).clip(0)
    chances: Array = positive / positive.sum(-1, keepdims=True)
    return chances
