"""The rule about feeds: which trouble is told, when, and once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.feeds import BURST, FeedsRule, findings
from monitor.alerts.rules.occasion import Occasion
from storage.alert_records import Finding, Phase, ToldAlert
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


def found(settings: FeedsRule, *feeds: FeedHealth, now: datetime = NOW, told: Sequence[Finding] = ()) -> list[Finding]:
    return findings(settings, Occasion(now=now, feeds=feeds, told={one.key: remembered(one) for one in told}))


def remembered(one: Finding) -> ToldAlert:
    return ToldAlert(one.key, one.rule, one.thread or one.key, one.phase, NOW - HOUR)


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


def lived(settings: FeedsRule, *life: FeedHealth | None) -> list[Finding]:
    """Return what is told of a feed in its life, each state looked at three times; None: it is not looked at."""
    told: dict[str, Finding] = {}
    for one in (one for one in life for _ in range(3)):
        for new in found(settings, *([one] if one else []), told=tuple(told.values())):
            told.setdefault(new.key, new)
    return list(told.values())


FAILING, BLOCKED = health("failing", 3 * DAY), health("blocked", 3 * DAY)


@pytest.mark.parametrize(
    ("settings", "life", "phases", "threads"),
    [
        pytest.param({}, [FAILING, well(HOUR, "failing", 3 * DAY)], ["start", "end"], 1, id="a trouble ends"),
        pytest.param(
            {},
            [FAILING, BLOCKED, well(2 * HOUR, "blocked", 3 * DAY), health("failing", DAY)],
            ["start", "end", "start"],
            2,
            id="a trouble with two faces ends, and another one begins",
        ),
        pytest.param(
            {},
            [FAILING, health("gone", HOUR), well(0 * HOUR, "gone", HOUR)],
            ["start", "update", "end"],
            1,
            id="a trouble grows into another one, and the feed is well in the end",
        ),
        pytest.param(
            {"states": ["failing"]},
            [FAILING, health("gone", HOUR), well(0 * HOUR, "gone", HOUR)],
            ["start", "end"],
            1,
            id="what the trouble grew into is not asked for: it ends all the same",
        ),
        pytest.param({}, [FAILING, well(9 * DAY, "failing", 3 * DAY)], ["start", "end"], 1, id="well again for long"),
        pytest.param({}, [FAILING, None], ["start", "end"], 1, id="the feed was removed"),
        pytest.param({}, [well(HOUR, "failing", 3 * DAY)], ["once"], 1, id="only the recovery is told"),
        pytest.param({"recovered": False}, [FAILING, None], ["once"], 1, id="no end is wanted, so nothing begins"),
    ],
)
def test_a_trouble_is_a_thread(
    settings: dict[str, Any], life: list[FeedHealth | None], phases: list[Phase], threads: int
) -> None:
    told = lived(rule(**settings), *life)
    assert [one.phase for one in told] == phases
    assert len({one.thread for one in told}) == threads
    assert told[0].thread == told[0].key


def test_a_trouble_is_found_as_long_as_it_lasts_so_that_it_can_be_repeated() -> None:
    first = found(rule(), FAILING)
    assert [one.key for one in found(rule(), FAILING, told=first)] == [first[0].key]


def test_the_end_of_a_feed_that_is_not_looked_at_any_more_says_what_may_have_been() -> None:
    [_, end] = lived(rule(), FAILING, None)
    assert (end.headline, end.severity) == ("A trouble that was told Mon 13:02 is over", "info")
    assert "removed, switched off or given another address" in end.explanation


def test_five_feeds_are_five_findings_and_six_are_one_that_lists_them() -> None:
    down = [health("failing", DAY, number, name=f"Feed {number}") for number in range(BURST + 1)]
    assert len(found(rule(), *down[:BURST])) == BURST
    (one,) = found(rule(), *down)
    assert one.headline == "6 feeds are in trouble"
    assert "Failing (6): Feed 0, Feed 1, Feed 2, Feed 3, Feed 4, Feed 5." in one.explanation


def test_what_a_message_listed_is_not_told_again_however_the_others_fare() -> None:
    down = [health("failing", DAY, number) for number in range(9)]
    told = found(rule(), *down[:7])
    assert [one.phase for one in told] == ["once"]
    assert found(rule(), *down[:7], told=told) == []
    assert found(rule(), *down[:2], told=told) == []
    later = found(rule(), *down, told=told)
    assert [finding.key.split(":")[1] for finding in later] == ["7", "8"]


def test_of_many_that_are_well_again_those_end_alone_that_were_told_alone() -> None:
    down = [health("failing", 2 * DAY, number) for number in range(9)]
    told = [*found(rule(), *down[:7]), *found(rule(), *down[7:])]
    well_again = [well(HOUR, "failing", 2 * DAY - HOUR, number) for number in range(9)]
    now = found(rule(), *well_again, told=told)
    assert [one.phase for one in now] == ["end", "end", "once"]
    assert [one.thread for one in now[:2]] == [one.key for one in told[1:]]
    assert now[2].headline == "7 feeds are well again"
    assert found(rule(), *well_again, told=[*told, *now]) == []


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
    assert (finding.topic, finding.stories, finding.charts, finding.observed) == ("", (), (), None)


@pytest.mark.parametrize("name", TITLES.values(), ids=TITLES.keys())
def test_a_hostile_reason_stays_words_on_one_line(name: str) -> None:
    (finding,) = found(rule(), health("failing", DAY, name=name or "x", reason=name))
    assert "\n" not in finding.headline + finding.explanation
    assert len(finding.explanation) < 1000


@pytest.mark.parametrize("settings", [{"states": []}, {"states": ["ok"]}, {"after": "-1d"}], ids=str)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rule(**settings)
