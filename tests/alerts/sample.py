"""Realistic alerts, invented for tests and for the pictures of the documentation."""

from datetime import UTC, date, datetime, timedelta

from monitor.alerts.rules.feeds import FeedsRule
from monitor.alerts.rules.feeds import findings as troubles
from monitor.alerts.rules.match import MatchRule
from monitor.alerts.rules.match import findings as matches
from monitor.alerts.rules.occasion import Occasion, Tagged
from monitor.alerts.rules.trend import TrendRule
from monitor.alerts.rules.trend import findings as surges
from storage.alert_records import Alert, DayCount, Delivery, Finding, StoryLine
from storage.feed_records import FeedHealth
from storage.records import Item, Trend

NOW = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
TODAY = NOW.date()
HEADLINE = "Efficiency news \N{MULTIPLICATION SIGN}4.6 since Sun 14:00: 23 stories, 5.0 expected"

# Thirty days to a Monday: weekends are quiet.
COUNTS = (5, 3, 2, 6, 4, 5, 7, 4, 2, 1, 5, 6, 4, 5, 6, 2, 3, 5, 4, 7, 5, 4, 1, 2, 6, 5, 4, 9, 12, 18)

# Title, outlet, number of outlets, minutes ago, probability, path.
NEWS = (
    ("Open-weight model from Lumen Lab matches the best closed ones at a twentieth of the training cost",
     "The Circuit Post", 9, 512, 0.985, "lumen-open-weights"),
    ("Lumen Lab cuts prices by 75%: a million tokens for 6 cents", "Datacenter Weekly", 6, 398, 0.972, "lumen-prices"),
    ("What 4-bit training changes: the paper behind Monday's sell-off", "Gradient Notes", 4, 301, 0.968, "4-bit"),
    ("Chip shares fall as buyers ask how much compute is really needed", "Börse am Morgen", 4, 250, 0.871, "aktien"),
    ("Hyperscalers answer: cheaper tokens will mean more of them", "The Ledger", 3, 205, 0.83, "jevons"),
    ("Sparse attention halves serving costs in a production test", "Systems Review", 2, 180, 0.944, "sparse"),
    ("Sprachmodell läuft auf dem Telefon: 3 Milliarden Parameter genügen", "Technik Heute", 2, 144, 0.902, "telefon"),
    ("Inference start-up drops its GPU order and rents by the hour", "The Ledger", 1, 121, 0.764, "gpu-order"),
    ("Analysts lower their estimates for 2027 AI capital spending", "Market Wire", 1, 95, 0.68, "estimates"),
    ("University retrains the model from scratch in nine days", "Campus Science", 1, 61, 0.913, "nine-days"),
    ("Distillation, explained by those who did it", "Gradient Notes", 1, 44, 0.889, "distillation"),
    ("Cloud provider halves the price of its small models", "Datacenter Weekly", 1, 20, 0.857, "halves"),
)  # fmt: skip

# The words that decided, by path; a story that only a person tagged has none.
WORDS = {
    "lumen-open-weights": ("twentieth of the training cost", "Open-weight model", "matches the best closed"),
    "lumen-prices": ("cuts prices by 75%", "6 cents", "million tokens", "Lumen Lab"),
    "4-bit": ("4-bit training",),
    "jevons": ("cheaper tokens",),
    "sparse": ("halves serving costs", "Sparse attention"),
    "telefon": ("3 Milliarden Parameter genügen", "Telefon"),
    "gpu-order": ("drops its GPU order", "Inference"),
    "nine-days": ("nine days",),
}

TREND = Trend(
    topic="efficiency",
    evaluated=NOW,
    window_start=NOW.replace(minute=0) - timedelta(hours=24),
    window_end=NOW,
    observed=23,
    expected=5.0,
    chance=1.3e-5,
    surprise=4.9,
    state="surging",
    since=NOW,
    feeds=12,
    low=2,
    high=9,
    score=4.1,
    per_year=0.43,
    outlets=9,
    share=0.31,
    usual_share=0.09,
    way="rise",
    episode=NOW,
    alarmed=NOW,
)


def stories(news: tuple[tuple[str, str, int, int, float, str], ...] = NEWS) -> tuple[StoryLine, ...]:
    """Return story lines, strongest first."""
    return tuple(
        StoryLine(
            number,
            title,
            f"https://news.example/{path}?a=1&b=2",
            feed,
            outlets,
            _ago(minutes),
            probability,
            WORDS.get(path, ()),
        )
        for number, (title, feed, outlets, minutes, probability, path) in enumerate(news, start=1)
    )


def days(counts: tuple[int, ...] = COUNTS, last: date = TODAY) -> tuple[DayCount, ...]:
    """Return the counts of consecutive days, the last of them today."""
    first = last - timedelta(days=len(counts) - 1)
    return tuple(DayCount(first + timedelta(days=number), count) for number, count in enumerate(counts))


def surge_occasion() -> Occasion:
    """Return the occasion of a surge: twelve stories are known of the 23."""
    return Occasion(now=NOW, trends=(TREND,), stories={"efficiency": stories()}, days={"efficiency": days()})


def surge_alert() -> Alert:
    """Return what the trend rule raises on a surge."""
    rule = TrendRule(name="efficiency-surge", rule="trend", send=())
    return alert(surges(rule, surge_occasion())[0])


def match_alert() -> Alert:
    """Return what the match rule raises on an item."""
    rule = MatchRule.model_validate(
        {"rule": "match", "name": "cheap-models", "words": {"any": ["open-weight", "distil*"]}}
    )
    tagged = Tagged(
        item(1, NEWS[0][0], feed=NEWS[0][1]), {"efficiency": 0.985}, {"efficiency": WORDS["lumen-open-weights"]}
    )
    return alert(matches(rule, Occasion(now=NOW, tagged=(tagged,)))[0])


def feeds_alert(feeds: int = 1) -> Alert:
    """Return what the rule about feeds raises when so many of them fail."""
    rule = FeedsRule.model_validate({"rule": "feeds", "name": "feed-trouble"})
    reason = "HTTP 404 Not Found: there is no feed at this address"
    down = [FeedHealth(n, f"Lab Notes {n}", "failing", NOW - timedelta(days=2), reason=reason) for n in range(feeds)]
    return alert(troubles(rule, Occasion(now=NOW, feeds=tuple(down)))[0])


def item(number: int, title: str, *, summary: str = "", feed: str = "The Ledger", lang: str | None = "en") -> Item:
    """Return an item published twenty minutes ago."""
    url = f"https://news.example/{number}"
    return Item(number, 1, feed, title, summary, lang, url, published=_ago(20), seen=_ago(1))


def alert(finding: Finding) -> Alert:
    """Return the finding as a stored alert."""
    return Alert(id=7, created=NOW, finding=finding)


def delivery(raised: Alert, *, channel: str = "desk", attempts: int = 0) -> Delivery:
    """Return the alert on its way to a channel."""
    return Delivery(id=1, channel=channel, attempts=attempts, alert=raised)


def _ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)
