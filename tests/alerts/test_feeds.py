"""The rule about feeds: which trouble is told, when, and once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.feeds import BURST, FeedsRule, findings
from monitor.alerts.rules.occasion import Occasion
from storage.alert_records import Finding
from storage.feed_records import FeedHealth, FeedState
from tests.alerts.nasty import TITLES
from tests.alerts.sample import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOT_FOUND = "HTTP 404 Not Found: there is no feed at this address"


def rule(**settings: Any) -> FeedsRule:
    return FeedsRule.model_validate({"rule": "feeds", "name": "trouble", **settings})


def health(state: FeedState, ago: timedelta, number: int = 3, **change: Any) -> FeedHealth:
    """Return a feed that has been in a state for so long."""
    return replace(FeedHealth(number, "Lab Notes", state, NOW - ago, reason=NOT_FOUND), **change)


def well(ago: timedelta, before: FeedState, lasted: timedelta, number: int = 3) -> FeedHealth:
    """Return a feed that has been well for so long, after a trouble of that length."""
    return health("ok", ago, number, before=before, before_since=NOW - ago - lasted, reason="")


def found(settings: FeedsRule, *feeds: FeedHealth, now: datetime = NOW, told: Sequence[str] = ()) -> list[Finding]:
    return findings(settings, Occasion(now=now, feeds=feeds, told=frozenset(told)))


@pytest.mark.parametrize(
    ("settings", "one", "tells"),
    [
        pytest.param({}, health("failing", 23 * HOUR), False, id="it fails since a little while"),
        pytest.param({}, health("failing", DAY), True, id="it fails since a day"),
        pytest.param({}, health("blocked", DAY), True, id="it is blocked since a day"),
        pytest.param({"after": "2d"}, health("failing", DAY), False, id="the user waits longer"),
        pytest.param({"after": "0s"}, health("failing", 0 * DAY), True, id="the user waits not at all"),
        pytest.param({}, health("gone", 0 * DAY), True, id="it is gone"),
        pytest.param({}, health("stale", 0 * DAY), True, id="it has had no news for long"),
        pytest.param({}, health("failing", 400 * DAY), True, id="the rule is new, the trouble old"),
        pytest.param({"states": ["gone"]}, health("failing", DAY), False, id="the user does not want to hear of it"),
        pytest.param({"feeds": ["Lab Notes"]}, health("gone", DAY), True, id="a feed that the user named"),
        pytest.param({"feeds": ["Wire"]}, health("gone", DAY), False, id="another feed than the user named"),
        pytest.param({}, well(HOUR, "failing", 2 * DAY), True, id="it works again"),
        pytest.param({}, well(HOUR, "blocked", 2 * DAY), True, id="it is let in again"),
        pytest.param({}, well(HOUR, "stale", HOUR), True, id="it has news again"),
        pytest.param({}, well(HOUR, "gone", HOUR), True, id="it is back"),
        pytest.param({}, well(HOUR, "failing", 23 * HOUR), False, id="well again after a trouble that was not told"),
        pytest.param({}, well(8 * DAY, "failing", 2 * DAY), False, id="well again for long"),
        pytest.param({}, well(HOUR, "new", 2 * DAY), False, id="its first answer"),
        pytest.param({"recovered": False}, well(HOUR, "failing", 2 * DAY), False, id="the user wants no good news"),
        pytest.param(
            {"states": ["gone"]}, well(HOUR, "failing", 2 * DAY), False, id="well again after another trouble"
        ),
    ],
)
def test_a_feed_is_told_of(settings: dict[str, Any], one: FeedHealth, tells: bool) -> None:
    assert bool(found(rule(**settings), one)) is tells


def test_each_trouble_and_each_recovery_is_told_once() -> None:
    life = [
        health("failing", 3 * DAY),
        health("blocked", 3 * DAY),  # the same trouble with another face
        well(2 * HOUR, "blocked", 3 * DAY),
        health("failing", DAY),
    ]
    told: list[str] = []
    for one in (one for one in life for _ in range(3)):
        told += [finding.key for finding in found(rule(), one, told=told)]
    assert len(told) == len(set(told)) == 3


def test_a_rule_does_not_count_what_another_rule_told() -> None:
    first = found(rule(name="one"), health("gone", DAY))[0].key
    assert found(rule(name="other"), health("gone", DAY), told=[first])


def test_five_feeds_are_five_findings_and_six_are_one_that_lists_them() -> None:
    down = [health("failing", DAY, number, name=f"Feed {number}") for number in range(BURST + 1)]
    assert len(found(rule(), *down[:BURST])) == BURST
    (one,) = found(rule(), *down)
    assert one.headline == "6 feeds are in trouble"
    assert "Failing (6): Feed 0, Feed 1, Feed 2, Feed 3, Feed 4, Feed 5." in one.explanation


def test_what_a_message_listed_is_not_told_again_however_the_others_fare() -> None:
    down = [health("failing", DAY, number) for number in range(9)]
    told = [finding.key for finding in found(rule(), *down[:7])]
    assert found(rule(), *down[:7], told=told) == []
    assert found(rule(), *down[:2], told=told) == []
    later = found(rule(), *down, told=told)
    assert [finding.key.split(":")[1] for finding in later] == ["7", "8"]


def test_a_message_for_many_names_them_by_trouble_and_says_what_to_do() -> None:
    many = [health("failing", DAY, n, name=f"Down {n}") for n in range(12)]
    (one,) = found(rule(), *many, health("stale", DAY, 50, name="Old"), health("gone", DAY, 51, name="Past"))
    assert one.explanation == (
        "monitor status says why, and what to do. Where many fail at once, look at this machine’s network first. "
        "Failing (12): Down 0, Down 1, Down 2, Down 3, Down 4, Down 5, Down 6, Down 7 and 4 more. "
        "Gone (1): Past. Without news (1): Old."
    )


def test_good_and_bad_news_are_not_mixed() -> None:
    mixed = [health("gone", DAY, 1), *(well(HOUR, "failing", 2 * DAY, n) for n in range(2, 9))]
    assert [(one.headline, one.severity) for one in found(rule(severity="critical"), *mixed)] == [
        ("Feed “Lab Notes” is gone, its site said Sun 14:02", "critical"),
        ("7 feeds are well again", "info"),
    ]


@pytest.mark.parametrize(
    ("one", "headline", "explanation"),
    [
        pytest.param(
            health("failing", 3 * DAY),
            "Feed “Lab Notes” has failed since Fri 14:02",
            "HTTP 404 Not Found: there is no feed at this address. It keeps being asked, and trends leave it out "
            "meanwhile. Open its address in a browser; correct it in feeds.yaml, or run: monitor feeds remove "
            "'Lab Notes'.",
            id="it fails",
        ),
        pytest.param(
            health("blocked", 20 * DAY, reason="HTTP 403 Forbidden: the site refuses this program"),
            "Feed “Lab Notes”: the site has refused this program since 3 Nov",
            "HTTP 403 Forbidden: the site refuses this program. It keeps being asked, and trends leave it out "
            "meanwhile. Set contact: in feeds.yaml, ask less often (every:), or send another User-Agent "
            "(fetch: hosts:).",
            id="it is blocked",
        ),
        pytest.param(
            health("gone", HOUR, name="Wire", reason="HTTP 410 Gone: the feed is gone for good"),
            "Feed “Wire” is gone, its site said Mon 13:02",
            "HTTP 410 Gone: the feed is gone for good. It is asked once more after a day and then no more; its items "
            "stay. Look for its new address and put it into feeds.yaml, or run: monitor feeds remove Wire.",
            id="it is gone",
        ),
        pytest.param(
            health("stale", HOUR, last_news=NOW - 400 * DAY, reason=""),
            "Feed “Lab Notes” has brought nothing new since 19 Oct 2025",
            "It answers as it should. Its publisher may have stopped or moved: look at the site, correct the address "
            "in feeds.yaml, or run: monitor feeds remove 'Lab Notes'. A publisher that is only slow: raise poll: "
            "stale_after:.",
            id="it is stale",
        ),
        pytest.param(
            health("stale", HOUR, name="Wire", reason=""),
            "Feed “Wire” has never brought anything new",
            "It answers as it should. Its publisher may have stopped or moved: look at the site, correct the address "
            "in feeds.yaml, or run: monitor feeds remove Wire. A publisher that is only slow: raise poll: "
            "stale_after:.",
            id="it never had news",
        ),
        pytest.param(
            well(HOUR, "blocked", 3 * DAY),
            "Feed “Lab Notes” works again",
            "Since Mon 13:02, after 3 days. What it published meanwhile and shows no more is missing; trends allow "
            "for that.",
            id="it works again",
        ),
        pytest.param(
            well(HOUR, "stale", 12 * DAY),
            "Feed “Lab Notes” has news again",
            "Since Mon 13:02. It had been reported as stale for 12 days.",
            id="it has news again",
        ),
    ],
)
def test_the_message(one: FeedHealth, headline: str, explanation: str) -> None:
    (finding,) = found(rule(), one)
    assert (finding.headline, finding.explanation) == (headline, explanation)


def test_times_are_told_in_the_users_zone() -> None:
    (finding,) = findings(rule(), Occasion(now=NOW, zone="Asia/Tokyo", feeds=(health("failing", 3 * DAY),)))
    assert finding.headline == "Feed “Lab Notes” has failed since Fri 23:02"
    assert finding.zone == "Asia/Tokyo"


def test_the_finding_says_who_is_told_and_claims_no_topic() -> None:
    (finding,) = found(rule(send=["desk"], severity="critical"), health("gone", DAY))
    assert (finding.rule, finding.kind, finding.send, finding.severity) == ("trouble", "feeds", ("desk",), "critical")
    assert (finding.topic, finding.stories, finding.days, finding.observed) == ("", (), (), None)


@pytest.mark.parametrize("name", TITLES.values(), ids=TITLES.keys())
def test_a_hostile_reason_stays_words_on_one_line(name: str) -> None:
    (finding,) = found(rule(), health("failing", DAY, name=name or "x", reason=name))
    assert "\n" not in finding.headline + finding.explanation
    assert len(finding.explanation) < 1000


@pytest.mark.parametrize("settings", [{"states": []}, {"states": ["ok"]}, {"after": "-1d"}], ids=str)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**settings)
