"""The message of `monitor alerts test`: marked as a test, and otherwise what a real one looks like. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.alerts.render.content import TEST, TEST_MARK
from monitor.alerts.wording import weekday_time
from storage.alert_records import Alert, Chart, DayCount, Finding, StoryLine

# Thirty days of an invented topic, today the last one.
_DAYS = (5, 3, 2, 6, 4, 5, 7, 4, 2, 1, 5, 6, 4, 5, 6, 2, 3, 5, 4, 7, 5, 4, 1, 2, 6, 5, 4, 9, 12, 18)
# Title, feed, outlets, minutes ago, probability, words.
_NEWS = (
    ("An invented laboratory trains its model at a twentieth of the usual cost", "Example Post", 9, 512, 0.985,
     ("twentieth of the usual cost",)),
    ("An invented cloud cuts its prices by 75%", "Example Wire", 6, 398, 0.972, ("cuts its prices",)),
    ("Invented shares fall as buyers ask how much computing they need", "Example Ledger", 4, 250, 0.871, ()),
)  # fmt: skip


def trial(send: tuple[str, ...], now: datetime, zone: str) -> Alert:
    """Return an alert with invented stories for the channels of these names. It is stored nowhere: its id is 0."""
    since = weekday_time(now - timedelta(hours=24), ZoneInfo(zone))
    finding = Finding(
        rule=TEST,
        kind=TEST,
        key=f"{TEST}:{now.isoformat()}",
        severity="info",
        topic="",
        headline=f"{TEST_MARK} Efficiency news \N{MULTIPLICATION SIGN}4.6 since {since}: 23 stories, 5.0 expected",
        explanation=(
            "This is only a test, asked for with `monitor alerts test`: this channel works. Nothing has happened, and "
            "what follows is invented. A real alert looks the same, with its reasons here instead."
        ),
        send=send,
        stories=_stories(now),
        charts=(Chart("efficiency", _days(now, zone), 5.0),),
        observed=23,
        zone=zone,
    )
    return Alert(id=0, created=now, finding=finding)


def _stories(now: datetime) -> tuple[StoryLine, ...]:
    return tuple(
        StoryLine(0, title, f"https://example.org/{number}", feed, outlets, now - timedelta(minutes=ago), odds, words)
        for number, (title, feed, outlets, ago, odds, words) in enumerate(_NEWS, start=1)
    )


def _days(now: datetime, zone: str) -> tuple[DayCount, ...]:
    last = now.astimezone(ZoneInfo(zone)).date()
    return tuple(DayCount(last - timedelta(days=ago), n) for ago, n in enumerate(reversed(_DAYS)))[::-1]
