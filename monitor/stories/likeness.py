"""How likely two items tell one event: embeddings, shared words and amounts, and time, weighed by logistic regression.

Embeddings alone take strangers on one topic for one story; names and amounts tell these apart. The weights come from
``python -m monitor.training.story_pairs``; ``python -m benchmarks.stories`` measures what they are worth. Pure.
"""

import math
from operator import mul

from monitor.stories.amounts import contradicting, shared
from monitor.stories.names import UNSEEN, Said, rarity
from monitor.stories.weights import READ, UNREAD

FEATURES = ("rare words", "unseen words", "brevity", "amounts", "contradictions", "days", "same feed")
"""What ``features`` returns: shared rare words and, again, those that are very rare (0 to 1 each); how little the
shorter text says (0 to 1); shared amounts (each 1 at most); kinds of which both name other amounts; days apart; 1 where
both come from one feed, else 0."""

_ANCHORED, _SAME_TEXT = 0.2, 0.85  # least share of rare words; the cosine of texts that need none
_STRANGERS = -1.0  # log-odds
_COMMON = 4.0  # words less rare than this hardly tell one event from another
_FEW = 4  # shorter texts are not weighed as if they had said even less
_HALF_RARE, _HALF_UNSEEN = 5.0, 2.5  # where each sum has half its effect


def likeness(one: Said, other: Said, days: float, cosine: float | None, *, same_feed: bool) -> float:
    """Return the log-odds (natural) that two texts tell one event.

    ``days`` lie between them; ``cosine`` is that of their embeddings, None when they have none to compare.
    """
    told = features(one, other, days, same_feed=same_feed)
    if cosine is None:
        return math.fsum(map(mul, UNREAD, (1.0, *told)))
    log_odds = math.fsum(map(mul, READ, (1.0, cosine, *told)))
    # Companies write about the same things in the same weeks: without a rare word or an amount in common that is all.
    return log_odds if told[0] >= _ANCHORED or told[3] > 0 or cosine >= _SAME_TEXT else min(log_odds, _STRANGERS)


def features(one: Said, other: Said, days: float, *, same_feed: bool) -> tuple[float, ...]:
    """Return what is weighed besides the cosine: FEATURES."""
    rarities = [rarity(word) for word in one.words & other.words]
    return (
        _saturated(sum(max(0.0, rare - _COMMON) for rare in rarities), _HALF_RARE),
        _saturated(rarities.count(UNSEEN), _HALF_UNSEEN),
        1 / math.sqrt(1 + max(_FEW, min(len(one.words), len(other.words)))),
        shared(one.amounts, other.amounts),
        float(contradicting(one.amounts, other.amounts)),
        days,
        float(same_feed),
    )


def _saturated(total: float, half: float) -> float:
    return total / (total + half)
