"""What one look at a topic sees: the last days hour by hour, against what the same feeds' past lets expect. Pure.

The baseline is learned day by day from a flow's history (monitor.baseline); the belief about the topic's state then
moves with every hour of the recent days (monitor.belief). All arithmetic has a leading axis, so that many moments of
one topic (a replay), or many topics (a benchmark), cost little more than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from monitor import belief as beliefs
from monitor.baseline import VOLUME_STORIES, Baseline, Day, Outlook, beginning, dispersion, learn, outlook
from monitor.flow import HISTORY_DAYS, HOURS, RECENT_DAYS, Flow, Stack, stack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Array: TypeAlias = "npt.NDArray[np.float64]"
Classes: TypeAlias = "npt.NDArray[np.intp]"

SPANS = (24, 48, 72)
"""Hours of the windows in which a rise or a fall may show best."""
_PROFILE_STORIES = 20.0  # weight of the prior that stories come evenly through the day
_NEVER = -99.0  # log odds


@dataclass(frozen=True, slots=True)
class Window:
    """The last whole hours and the one that has begun: stories told and expected, and how many feeds told them.

    ``share`` is the topic's share of all stories (None without any), ``usual_share`` what it was expected to be.
    """

    start: datetime
    observed: int
    expected: float
    outlets: int
    share: float | None = None
    usual_share: float | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a topic sees.

    ``rise`` and ``fall`` are log odds of all surge states and all drop states, from news alone. ``mean`` is the panel's
    usual number of stories a day, ``dispersion`` their variance over it, ``doubt`` the relative variance of what is not
    known of the mean. ``days`` is for how many days the panel was compared (old ones count less), ``feeds`` how many
    are compared now.
    """

    now: datetime
    rise: float
    fall: float
    mean: float
    dispersion: float
    doubt: float
    days: float
    feeds: int
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class _Hours:
    """The recent days hour by hour, of the feeds compared (..., RECENT_DAYS * 24); ``news`` is without the backlog.

    ``usual`` is what the calendar lets expect of the topic, ``usual_total`` of all stories; ``expected`` also knows how
    many stories there really were. ``spread_out`` is for monitor.belief.log_ratios.
    """

    told: Array
    total: Array
    expected: Array
    usual: Array
    usual_total: Array
    told_news: Array
    expected_news: Array
    spread_out: Array


def look_all(flows: Sequence[Flow]) -> list[Look]:
    """Look at many flows of equally many feeds at once: at one topic at many moments, say."""
    stacked = stack(flows)
    if not stacked.told.shape[1]:
        return [_no_feeds(flow) for flow in flows]
    past, aheads, start = _learned(stacked)
    hours = hours_of(stacked, aheads)
    belief = believed(start, hours, aheads)
    numbers = {
        "rise": beliefs.log_odds(belief, beliefs.SURGES),
        "fall": beliefs.log_odds(belief, beliefs.DROPS),
        "mean": aheads[-1].usual.sum(-1),
        "dispersion": dispersion(past),
        "doubt": aheads[-1].doubt,
        "days": past.days,
    }
    today = (aheads[-1].panel > 0).sum(-1)
    return [
        Look(
            now=flow.now,
            feeds=int(today[n]),
            windows=tuple(_window(flow, hours, n, span) for span in SPANS),
            **{name: float(column[n]) for name, column in numbers.items()},
        )
        for n, flow in enumerate(flows)
    ]


def _learned(flows: Stack) -> tuple[Baseline, list[Outlook], "Array"]:
    """Learn all days but today; return what was learned, the outlook of each recent day, the belief before them."""
    past, aheads, start = beginning(*flows.told.shape[:-1]), list[Outlook](), None
    for n in range(HISTORY_DAYS + RECENT_DAYS):
        kind = flows.kinds[..., n]
        if n >= HISTORY_DAYS:
            start = past.fresh if start is None else start
            aheads.append(outlook(past, kind, _lately_known(flows, n - HISTORY_DAYS)))
        if n < HISTORY_DAYS + RECENT_DAYS - 1:
            past = learn(past, _day(flows, n, kind))
    if start is None:
        raise AssertionError("there are recent days")
    return past, aheads, start


def _lately_known(flows: Stack, day: int) -> "Array":
    """Return what is positive where a feed was covered on a recent day (..., F): today may only have begun."""
    known: Array = flows.hourly_known[..., max(day - 1, 0) if day == RECENT_DAYS - 1 else day : day + 1, :].sum(
        (-2, -1)
    )
    return known


def _day(flows: Stack, n: int, kind: "Classes") -> Day:
    if n < HISTORY_DAYS:
        return Day(flows.told[..., n], flows.total[..., n], flows.known[..., n], flows.fresh[..., n], kind)
    k = n - HISTORY_DAYS
    return Day(
        flows.hourly_told[..., k, :].sum(-1),
        flows.hourly_total[..., k, :].sum(-1),
        flows.hourly_known[..., k, :].mean(-1),
        flows.hourly_fresh[..., k, :].mean(-1),
        kind,
    )


def hours_of(flows: Stack, aheads: Sequence[Outlook]) -> _Hours:
    """Return what the recent hours brought, and what was to be expected of them."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    profile = (flows.hours + _PROFILE_STORIES / HOURS) / (flows.hours.sum(-1, keepdims=True) + _PROFILE_STORIES)
    panel = np.stack([ahead.panel for ahead in aheads], -1)[..., None]  # (..., F, RECENT_DAYS, 1)
    others = np.stack([ahead.others for ahead in aheads], -1)[..., None]
    compared = (panel > 0) & (flows.hourly_known > 0)
    told, total = (flows.hourly_told * compared).sum(-3), (flows.hourly_total * compared).sum(-3)
    rest = (others * flows.hourly_known).sum(-3)
    share = hour_share(profile[..., None, :], total - told, rest)
    added = hour_share(spread_out(profile)[..., None, :], total - told, rest) / share
    expected, news = (panel * flows.hourly_known).sum(-3), (panel * flows.hourly_fresh).sum(-3)
    told_news = (flows.hourly_news * compared).sum(-3)
    usual = expected * profile[..., None, :]
    usual_total = usual + rest * profile[..., None, :]
    flat = (*told.shape[:-2], RECENT_DAYS * HOURS)
    columns = (told, total, expected * share, usual, usual_total, told_news, news * share, added)
    return _Hours(*(column.reshape(flat) for column in columns))


def spread_out(profile: "Array") -> "Array":
    """Return at which hours (..., 24) the stories come that a surge adds: half when stories usually do, half evenly.

    A feed that dates all its stories to midnight does not publish a surge at midnight only.
    """
    shares: Array = (profile + 1 / HOURS) / 2
    return shares


def hour_share(profile: "Array", others: "Array", rest: "Array") -> "Array":
    """Return an hour's share of the day: the calendar's word, and what all other stories say.

    ``profile`` is the hour's share of an average day, ``others`` are the other stories that came in it, ``rest`` those
    expected of the whole day. Summed over a day this is monitor.baseline.volume.
    """
    share: Array = (VOLUME_STORIES * profile + others) / (VOLUME_STORIES + rest)
    return share


def believed(start: "Array", hours: _Hours, aheads: Sequence[Outlook]) -> "Array":
    """Return the belief after all recent hours, from the one before them."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    spread = np.repeat(np.stack([ahead.dispersion for ahead in aheads], -1), HOURS, axis=-1)
    ratios = beliefs.log_ratios(hours.told_news, hours.expected_news, spread, hours.spread_out)
    belief = start
    for hour in range(RECENT_DAYS * HOURS):
        belief = beliefs.after_hour(belief, ratios[..., hour, :])
    return belief


def _window(flow: Flow, hours: _Hours, n: int, span: int) -> Window:
    """Return what the last ``span`` whole hours brought, and the hour that has begun."""
    begun = (RECENT_DAYS - 1) * HOURS + min(int((flow.now - flow.today).total_seconds() // 3600), HOURS - 1)
    cut = slice(begun - span, begun + 1)
    told = flow.hourly_told.reshape(flow.told.shape[0], -1)[:, cut] * (
        flow.hourly_known.reshape(flow.told.shape[0], -1)[:, cut] > 0
    )
    total, usual_total = hours.total[n, cut].sum(), hours.usual_total[n, cut].sum()
    return Window(
        start=flow.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=span),
        observed=int(hours.told[n, cut].sum()),
        expected=float(hours.expected[n, cut].sum()),
        outlets=int((told.sum(-1) > 0).sum()),
        share=float(hours.told[n, cut].sum() / total) if total else None,
        usual_share=float(hours.usual[n, cut].sum() / usual_total) if usual_total else None,
    )


def _no_feeds(flow: Flow) -> Look:
    start = flow.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=SPANS[0])
    return Look(flow.now, _NEVER, _NEVER, 0.0, 1.0, 0.0, 0.0, 0, (Window(start, 0, 0.0, 0),))
