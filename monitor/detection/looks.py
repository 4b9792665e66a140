"""What one look at a topic sees: the last days hour by hour, against what the same feeds' past lets expect. Pure.

The baseline is learned day by day from a flow's history (monitor.detection.baseline); the belief about the topic's
state then moves with every hour of the recent days (monitor.detection.belief). All arithmetic has a leading axis, so
that many moments of one topic (a replay), or many topics (a benchmark), cost little more than one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from monitor.detection import belief as beliefs
from monitor.detection.baseline import Baseline, Day, Outlook, beginning, learn, outlook, volume
from monitor.detection.flow import HISTORY_DAYS, HOURS, RECENT_DAYS, Arrays, Flow, stack

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
    """The recent days hour by hour, of the feeds compared (..., RECENT_DAYS * 24).

    ``fresh`` are the hours of which news was learned as it came, ``news`` the stories that were news then: a backlog
    must not begin a rise, nor its lack a fall. ``usual`` is what the calendar lets expect of the topic,
    ``usual_total`` of all stories; ``expected`` also knows how many stories there really were. ``spread_out`` is for
    monitor.detection.belief.log_ratios.
    """

    told: Array
    total: Array
    expected: Array
    usual: Array
    usual_total: Array
    told_fresh: Array
    told_news: Array
    expected_fresh: Array
    spread_out: Array


def look_all(flows: Sequence[Flow]) -> list[Look]:
    """Look at many flows of equally many feeds at once: at one topic at many moments, say."""
    stacked = stack(flows)
    if not stacked.told.shape[1]:
        return [_no_feeds(flow) for flow in flows]
    past, aheads, start = _learned(stacked, *_histories(flows))
    hours = hours_of(stacked, aheads)
    rise = fall = believed(start, hours.told_fresh, hours, aheads)
    if (hours.told_news != hours.told_fresh).any():
        rise = believed(start, hours.told_news, hours, aheads)
    numbers = {
        "rise": beliefs.log_odds(rise, beliefs.SURGES),
        "fall": beliefs.log_odds(fall, beliefs.DROPS),
        "mean": aheads[-1].usual.sum(-1),
        "dispersion": aheads[-1].spread,
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


def _histories(flows: Sequence[Flow]) -> tuple[list[int], list[int]]:
    """Return one flow of each history, and for each flow which of these is its own.

    The moments of a day share their history (a replay gives them the same arrays), so it is learned once.
    """
    found: dict[tuple[object, ...], int] = {}
    chosen, places = list[int](), list[int]()
    for n, flow in enumerate(flows):
        key = (flow.today, *(id(column) for column in (flow.told, flow.total, flow.known, flow.fresh)))
        if key not in found:
            found[key] = len(chosen)
            chosen.append(n)
        places.append(found[key])
    return chosen, places


def _learned(flows: Arrays, chosen: Sequence[int], places: Sequence[int]) -> tuple[Baseline, list[Outlook], "Array"]:
    """Learn all days but today; return what was learned, the outlook of each recent day, the belief before them.

    ``chosen`` are flows with all the histories that there are, ``places`` says for each flow which of them is its own.
    """
    past = beginning(len(chosen), flows.told.shape[-2])
    told, total, known, fresh = (column[chosen] for column in (flows.told, flows.total, flows.known, flows.fresh))
    kinds = flows.kinds[chosen]
    for n in range(HISTORY_DAYS):
        past = learn(past, Day(told[..., n], total[..., n], known[..., n], fresh[..., n], kinds[..., n]))
    past = _each(past, places)
    start, aheads = past.fresh, list[Outlook]()
    for n in range(RECENT_DAYS):
        kind = flows.kinds[..., HISTORY_DAYS + n]
        aheads.append(outlook(past, kind, _lately_known(flows, n)))
        if n < RECENT_DAYS - 1:
            past = learn(past, _day(flows, n, kind))
    return past, aheads, start


def _each(past: Baseline, places: Sequence[int]) -> Baseline:
    """Return the baselines at these places of the first axis."""

    def taken(record: Any) -> Any:
        values = {field.name: getattr(record, field.name) for field in fields(record)}
        return replace(record, **{n: taken(v) if is_dataclass(v) else v[places] for n, v in values.items()})

    each: Baseline = taken(past)
    return each


def _lately_known(flows: Arrays, day: int) -> "Array":
    """Return what is positive where a feed was covered on a recent day (..., F): today may only have begun."""
    known: Array = flows.hourly_known[..., max(day - 1, 0) if day == RECENT_DAYS - 1 else day : day + 1, :].sum(
        (-2, -1)
    )
    return known


def _day(flows: Arrays, recent: int, kind: "Classes") -> Day:
    """Put the hours of a recent day together."""
    return Day(
        flows.hourly_told[..., recent, :].sum(-1),
        flows.hourly_total[..., recent, :].sum(-1),
        flows.hourly_known[..., recent, :].mean(-1),
        flows.hourly_fresh[..., recent, :].mean(-1),
        kind,
    )


def hours_of(flows: Arrays, aheads: Sequence[Outlook]) -> _Hours:
    """Return what the recent hours brought, and what was to be expected of them."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    profile = (flows.hours + _PROFILE_STORIES / HOURS) / (flows.hours.sum(-1, keepdims=True) + _PROFILE_STORIES)
    panel = np.stack([ahead.panel for ahead in aheads], -1)[..., None]  # (..., F, RECENT_DAYS, 1)
    elsewhere = np.stack([ahead.others for ahead in aheads], -1)[..., None]
    compared = (panel > 0) & (flows.hourly_known > 0)
    told, total = (flows.hourly_told * compared).sum(-3), (flows.hourly_total * compared).sum(-3)
    rest = (elsewhere * flows.hourly_known).sum(-3)
    others = (total - told).clip(0)  # a story may begin to carry the topic later than it began
    share = volume(others, rest, profile[..., None, :])
    added = volume(others, rest, spread_out(profile)[..., None, :]) / share
    expected, fresh = (panel * flows.hourly_known).sum(-3), (panel * flows.hourly_fresh).sum(-3)
    told_fresh, told_news = (
        (stories * compared * (flows.hourly_fresh > 0)).sum(-3) for stories in (flows.hourly_told, flows.hourly_news)
    )
    usual = expected * profile[..., None, :]
    usual_total = usual + rest * profile[..., None, :]
    flat = (*told.shape[:-2], RECENT_DAYS * HOURS)
    columns = (told, total, expected * share, usual, usual_total, told_fresh, told_news, fresh * share, added)
    return _Hours(*(column.reshape(flat) for column in columns))


def spread_out(profile: "Array") -> "Array":
    """Return at which hours (..., 24) the stories come that a surge adds: half when stories usually do, half evenly.

    A feed that dates all its stories to midnight does not publish a surge at midnight only.
    """
    shares: Array = (profile + 1 / HOURS) / 2
    return shares


def believed(start: "Array", told: "Array", hours: _Hours, aheads: Sequence[Outlook]) -> "Array":
    """Return the belief after all recent hours with these stories, from the one before them."""
    import numpy as np  # noqa: PLC0415 - the command line must start without it

    spread = np.repeat(np.stack([ahead.dispersion for ahead in aheads], -1), HOURS, axis=-1)
    ratios = beliefs.log_ratios(told, hours.expected_fresh, spread, hours.spread_out)
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
