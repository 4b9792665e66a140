"""An alert of each kind, invented, as the rules raise them: for tests of all forms, and to be looked at."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from monitor.alerts.rules.compound import CompoundRule
from monitor.alerts.rules.compound import findings as coincidences
from monitor.alerts.rules.digest import DigestRule
from monitor.alerts.rules.digest import findings as digests
from monitor.alerts.rules.occasion import Occasion
from monitor.alerts.rules.query import QueryRule
from monitor.alerts.rules.query import findings as answers
from monitor.alerts.rules.silence import SilenceRule
from monitor.alerts.rules.silence import findings as silences
from monitor.alerts.rules.trend import TrendRule
from monitor.alerts.rules.trend import findings as surges
from monitor.alerts.summaries import COOLDOWN, QUIET, summary
from monitor.alerts.trial import trial
from monitor.alerts.undelivered import notice
from storage.alert_records import (
    Alert,
    AlertLine,
    DigestData,
    QueryAnswer,
    Retry,
    StoryLine,
    StreamHealth,
    ToldAlert,
    TopicPeriod,
)
from storage.records import Trend
from tests.alerts.sample import (
    NOW,
    TREND,
    alert,
    days,
    delivery,
    feeds_alert,
    match_alert,
    stories,
    surge_alert,
    surge_occasion,
)

RULE = TrendRule(name="efficiency-surge", rule="trend", send=("desk",))

# Thirty days of other topics, today the last one; today is half over.
CAPEX = (9, 8, 3, 11, 10, 9, 12, 8, 3, 2, 10, 11, 9, 12, 10, 3, 4, 9, 8, 10, 9, 7, 2, 3, 6, 5, 4, 3, 1, 2)
POWER = (2, 3, 1, 2, 4, 3, 2, 3, 0, 1, 2, 3, 5, 2, 3, 1, 0, 2, 3, 2, 4, 3, 1, 0, 2, 3, 4, 2, 1, 1)
RULES = (6, 4, 1, 5, 7, 6, 5, 4, 1, 0, 6, 5, 7, 4, 6, 1, 2, 5, 6, 4, 5, 7, 1, 2, 5, 4, 6, 5, 2, 3)
OTHER_NEWS = (
    ("Cloud builder puts a third of next year's data centres on hold", "Market Wire", 5, 610, 0.961, "on-hold"),
    ("Lenders ask for more collateral on GPU-backed loans", "The Ledger", 3, 420, 0.894, "loans"),
    ("Grid operator: applications of data centres fall for the first time", "Power & Light", 2, 330, 0.812, "grid"),
)  # fmt: skip


def _surging() -> Trend:
    """The same surge two days later: a class larger."""
    later = NOW + timedelta(hours=44)
    return replace(TREND, evaluated=later, window_end=later, since=later, observed=61, expected=9.8, outlets=14,
                   low=5, high=15, per_year=0.01, share=0.38)  # fmt: skip


def _told() -> dict[str, ToldAlert]:
    start = surges(RULE, surge_occasion())[0].key
    return {start: ToldAlert(start, RULE.name, start, "start", NOW - timedelta(hours=1))}


def update() -> Alert:
    """The surge has grown."""
    trend = _surging()
    counts = days((*days_counts()[2:], 24, 19), trend.evaluated.date())
    occasion = replace(
        surge_occasion(), now=trend.evaluated, trends=(trend,), told=_told(), days={"efficiency": counts}
    )
    raised = alert(next(found for found in surges(RULE, occasion) if found.phase == "update"))
    return replace(raised, id=9, created=trend.evaluated)


def end() -> Alert:
    """The surge is over."""
    now = NOW + timedelta(days=6)
    calm = replace(TREND, evaluated=now, window_start=now - timedelta(days=1), window_end=now, state="normal",
                   since=now - timedelta(hours=25), observed=6, per_year=200.0)  # fmt: skip
    counts = days((*days_counts()[6:], 14, 9, 7, 5, 4, 3), now.date())
    occasion = replace(surge_occasion(), now=now, trends=(calm,), told=_told(), days={"efficiency": counts})
    return replace(alert(next(found for found in surges(RULE, occasion) if found.phase == "end")), id=12, created=now)


def days_counts() -> tuple[int, ...]:
    """The counts of the surge's thirty days."""
    return tuple(day.stories for day in days())


def matches() -> Alert:
    """Fourteen matches that came soon after each other, as one message."""
    first, now = match_alert(), NOW + timedelta(minutes=10)
    lines = [*stories(), *stories(OTHER_NEWS)][:14]
    alerts = [
        replace(first, id=20 + n, why=COOLDOWN, finding=replace(first.finding, key=f"story:{n}", headline=one.title,
                thread="", strength=one.probability, stories=(one,), evidence=(n,)))
        for n, one in enumerate(replace(line, item_id=n) for n, line in enumerate(lines))
    ]  # fmt: skip
    return replace(alert(summary(alerts, now, "UTC")), id=40, created=now)


def overbuild() -> Alert:
    """Efficiency rises while capex falls."""
    falling = replace(TREND, topic="capex", way="fall", state="quiet", observed=11, expected=27.3, low=18, high=37,
                      per_year=0.71, surprise=3.6, outlets=5, window_start=NOW - timedelta(days=4),
                      episode=NOW - timedelta(days=3), alarmed=NOW - timedelta(hours=2))  # fmt: skip
    rule = CompoundRule.model_validate({"name": "overbuild", "rule": "compound", "severity": "critical",
                                        "all": [{"rises": "efficiency"}, {"falls": "capex"}]})  # fmt: skip
    told = {"efficiency": stories(), "capex": stories(OTHER_NEWS)}
    counts = {"efficiency": days(), "capex": days(CAPEX)}
    return alert(coincidences(rule, Occasion(now=NOW, trends=(TREND, falling), stories=told, days=counts))[0])


def query() -> Alert:
    """A SELECT has found rows."""
    rule = QueryRule.model_validate({"name": "price cuts", "rule": "query", "sql": "SELECT 1",
                                     "headline": "{count} price cuts in a day, the newest: {first}"})  # fmt: skip
    rows = tuple((line.title, line.url, line.feed, line.outlets, round(line.probability, 3)) for line in stories()[1:7])
    columns = ("title", "url", "feed", "outlets", "probability")
    return alert(answers(rule, Occasion(now=NOW, answers={rule.name: QueryAnswer(columns, rows, 17)}))[0])


def silence() -> Alert:
    """No news at all."""
    rule = SilenceRule.model_validate({"name": "stream", "rule": "silence", "no_items": "12h", "severity": "critical"})
    ago = NOW - timedelta(hours=14)
    stream = StreamHealth(NOW - timedelta(days=90), ago, ago - timedelta(minutes=3), 60, 57, {})
    return alert(silences(rule, Occasion(now=NOW, stream=stream))[0])


def _topic(counts: tuple[int, ...], trend: Trend, share: float, top: tuple[StoryLine, ...] = ()) -> TopicPeriod:
    return TopicPeriod(trend.topic, trend.observed, trend.expected, share, trend, days(counts), top)


def digest() -> Alert:
    """A day of four topics."""
    usual = replace(TREND, state="normal", episode=None, alarmed=None, way=None)
    fall = replace(TREND, topic="capex", way="fall", state="falling", episode=NOW - timedelta(days=3), observed=3,
                   expected=8.1)  # fmt: skip
    rules = replace(usual, topic="export_controls", observed=5, expected=5.2)
    power = replace(usual, topic="power", observed=2, expected=2.4)
    line = AlertLine(7, NOW - timedelta(hours=5), "efficiency-surge", "trend", "warning", "efficiency",
                     surge_alert().finding.headline, "start", "told", "", ("desk",))  # fmt: skip
    held = replace(line, id=8, rule="cheap-models", phase="once", state="muted", headline=stories()[1].title,
                   why="told by 'efficiency-surge': Efficiency news ×4.6 since Sun 14:00")  # fmt: skip
    waiting = replace(held, id=9, rule="export controls", state="held", why="weekly budget",
                      headline="Ministry drafts a licence for the export of model weights")  # fmt: skip
    data = DigestData(
        NOW - timedelta(hours=24), NOW, 412,
        (
            _topic(days_counts(), TREND, 0.31, stories()[:2]),
            _topic(CAPEX, fall, 0.04, stories(OTHER_NEWS[:2])),
            _topic(RULES, rules, 0.07),
            _topic(POWER, power, 0.03, stories(OTHER_NEWS[2:])),
        ),
        (line, replace(line, id=6, rule="cheap-models", phase="once", headline=stories()[0].title)),
        (held, waiting),
    )  # fmt: skip
    rule = DigestRule.model_validate({"name": "morning", "rule": "digest"})
    return replace(alert(digests(rule, Occasion(now=NOW, digests={rule.name: data}))[0]), id=41)


def held() -> Alert:
    """A match of the night that waited for the morning."""
    night = NOW.replace(hour=23, minute=10)
    return replace(match_alert(), created=night, until=NOW.replace(hour=7, minute=0) + timedelta(days=1), why=QUIET)


def given_up() -> Alert:
    """Another channel does not take its messages."""
    failed = delivery(surge_alert(), channel="team-slack")
    told = notice(failed, Retry(None, "Slack answered 404 no_service: the webhook was removed or switched off: make "
                                "a new one"), ("desk", "team-slack"), NOW)  # fmt: skip
    assert told is not None
    return replace(alert(told), id=44)


ALERTS: dict[str, Callable[[], Alert]] = {
    "trend-start": surge_alert,
    "trend-update": update,
    "trend-end": end,
    "match": match_alert,
    "match-held": held,
    "match-summary": matches,
    "compound": overbuild,
    "query": query,
    "silence": silence,
    "digest": digest,
    "feeds": feeds_alert,
    "delivery": given_up,
    "test": lambda: trial(("desk",), NOW, "UTC"),
}
