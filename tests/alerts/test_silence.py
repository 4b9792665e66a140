"""The rule about the stream itself: which silence is told, once, in which words, to whom, and when it is over."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.occasion import Occasion
from monitor.alerts.rules.silence import SilenceRule, findings, receivers
from storage.alert_records import ChannelHealth, Finding, StreamHealth, ToldAlert
from tests.alerts.nasty import TITLES
from tests.alerts.sample import NOW

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WELL = StreamHealth(NOW - 90 * DAY, NOW - 5 * MINUTE, NOW - MINUTE, 40, 1, {"Wire": NOW - HOUR, "Lab": NOW - 3 * DAY})
ALL: dict[str, Any] = {"no_items": "12h", "no_answer": "2h", "failing": 50, "feeds": {"Wire": "2d"}, "channels": "1h"}
ABOUT = "This is about the stream of news itself, not about a topic"
PAUSED = f"{ABOUT}; trends leave out what feeds that fail do not cover."
STATUS = "Run `monitor status`: it says of each feed what is wrong."
NETWORK = f"Look at this machine’s network first (DNS, proxy, firewall). {STATUS}"


def rule(**settings: Any) -> SilenceRule:
    return SilenceRule.model_validate({"rule": "silence", "name": "stream", **settings})


def stream(**change: Any) -> StreamHealth:
    return replace(WELL, **change)


def mute(name: str = "slack", ago: timedelta = 2 * HOUR, **change: Any) -> ChannelHealth:
    """Return a channel that has taken nothing for so long."""
    return replace(ChannelHealth(name, NOW - ago, 3, 0, "HTTP 404: no_team"), **change)


def found(
    health: StreamHealth | None, told: dict[str, ToldAlert] | None = None, now: datetime = NOW, **settings: Any
) -> list[Finding]:
    return findings(rule(**settings or ALL), Occasion(now=now, stream=health, told=told or {}))


def as_told(*raised: Finding, at: datetime = NOW) -> dict[str, ToldAlert]:
    return {one.key: ToldAlert(one.key, one.rule, one.thread or one.key, one.phase, at) for one in raised}


def kinds(raised: list[Finding]) -> list[str]:
    return [one.key.split(":")[1] for one in raised]


@pytest.mark.parametrize(
    ("settings", "change", "tells"),
    [
        pytest.param(ALL, {}, [], id="all is well"),
        pytest.param({"no_items": "12h"}, {"last_item": NOW - 11 * HOUR}, [], id="nothing new for a while"),
        pytest.param({"no_items": "12h"}, {"last_item": NOW - 12 * HOUR}, ["no_items"], id="nothing new for too long"),
        pytest.param(
            {"no_items": "12h"}, {"last_item": None, "began": NOW - HOUR}, [], id="a new database has no news yet"
        ),
        pytest.param(
            {"no_items": "12h"}, {"last_item": None, "began": NOW - DAY}, ["no_items"], id="it never had any news"
        ),
        pytest.param(
            {"no_items": "12h"}, {"last_item": NOW - 9 * DAY, "began": NOW - HOUR}, [], id="only imported news is old"
        ),
        pytest.param({"no_items": "12h"}, {"last_item": None, "began": None}, [], id="nothing was ever polled"),
        pytest.param({"no_answer": "2h"}, {"last_ok": NOW - HOUR}, [], id="no answer for a while"),
        pytest.param({"no_answer": "2h"}, {"last_ok": NOW - 2 * HOUR}, ["no_answer"], id="no answer for too long"),
        pytest.param({"no_answer": "2h"}, {"last_ok": None, "began": NOW - HOUR}, [], id="it asks since an hour"),
        pytest.param({"no_answer": "2h"}, {"last_ok": None}, ["no_answer"], id="there was never an answer"),
        pytest.param({"no_answer": "2h"}, {"last_ok": None, "feeds": 0}, [], id="no feed is asked"),
        pytest.param({"no_answer": "2h"}, {"last_item": None}, [], id="answers without news are answers"),
        pytest.param({"failing": 50}, {"failing": 19}, [], id="less than half fail"),
        pytest.param({"failing": 50}, {"failing": 20}, ["failing"], id="half of them fail"),
        pytest.param({"failing": 50}, {"feeds": 2, "failing": 2}, [], id="two feeds are too few for a share"),
        pytest.param({"failing": 100}, {"feeds": 3, "failing": 3}, ["failing"], id="all three fail"),
        pytest.param({"feeds": {"Wire": "2d"}}, {}, [], id="the feed brought news"),
        pytest.param({"feeds": {"Lab": "2d"}}, {}, ["feeds"], id="the feed is late"),
        pytest.param({"feeds": {"Lab": "4d"}}, {}, [], id="the feed may take longer"),
        pytest.param({"feeds": {"New": "2d"}}, {}, [], id="nothing is known of the feed"),
        pytest.param({"channels": "1h"}, {"channels": (mute(),)}, ["channels"], id="a channel takes nothing"),
        pytest.param({"channels": "3h"}, {"channels": (mute(),)}, [], id="not for long enough"),
        pytest.param({"no_items": "12h"}, {"channels": (mute(),)}, [], id="channels are not watched"),
        pytest.param(
            ALL,
            {"last_item": NOW - DAY, "last_ok": NOW - DAY, "failing": 40, "channels": (mute(), mute("mail"))},
            ["no_items", "no_answer", "failing", "channels", "channels"],
            id="this machine is cut off",
        ),
    ],
)
def test_a_silence_is_told(settings: dict[str, Any], change: dict[str, Any], tells: list[str]) -> None:
    raised = found(stream(**change), **settings)
    assert kinds(raised) == tells
    assert {one.phase for one in raised} <= {"start"}


def test_nothing_is_said_while_nobody_knows_how_the_stream_is() -> None:
    assert found(None, as_told(*found(stream(last_item=NOW - DAY)))) == []


SILENT: dict[str, Any] = {"last_item": NOW - DAY}
HALF: dict[str, Any] = {"failing": 20}
DEAF: dict[str, Any] = {"channels": (mute(),)}


@pytest.mark.parametrize(
    ("life", "alerts"),
    [
        pytest.param([SILENT, SILENT], ["start 0"], id="nothing new"),
        pytest.param([SILENT, {}], ["start 0", "end 1"], id="news flows again"),
        pytest.param(
            [SILENT, {}, {"last_item": NOW - 15 * HOUR}], ["start 0", "end 1", "start 2"], id="and stops once more"
        ),
        pytest.param(
            [SILENT, {"last_item": NOW - 13 * HOUR}], ["start 0"], id="news came and stopped while nobody looked"
        ),
        pytest.param([HALF, {"failing": 17}, HALF], ["start 0"], id="the share goes up and down a little"),
        pytest.param([HALF, {"failing": 15}, HALF], ["start 0", "end 1", "start 2"], id="the share goes far down"),
        pytest.param([HALF, {"feeds": 2, "failing": 2}], ["start 0", "end 1"], id="too few feeds are left"),
        pytest.param([DEAF, DEAF, {}], ["start 0", "end 2"], id="a channel is well again"),
        pytest.param(
            [DEAF, {"channels": (mute(ago=90 * MINUTE),)}], ["start 0"], id="the channel's oldest message is another"
        ),
        pytest.param([DEAF, {"channels": (mute(), mute("mail"))}], ["start 0", "start 1"], id="a second channel fails"),
        pytest.param([SILENT, {**SILENT, **DEAF}, DEAF], ["start 0", "start 1", "end 2"], id="each has its own thread"),
    ],
)
def test_what_a_stream_tells_in_its_life(life: list[dict[str, Any]], alerts: list[str]) -> None:
    told: dict[str, ToldAlert] = {}
    seen: list[str] = []
    for minute, change in enumerate(life):
        now = NOW + minute * MINUTE
        new = [one for one in found(stream(**change), told, now) if one.key not in told]
        told |= as_told(*new, at=now)
        seen += [f"{one.phase} {minute}" for one in new]
    assert seen == alerts


def test_a_silence_that_was_told_is_not_over_because_the_user_allows_more() -> None:
    told = as_told(*found(stream(**SILENT, **DEAF)))
    more: dict[str, Any] = {**ALL, "no_items": "48h", "channels": "9h"}
    assert {one.key for one in found(stream(**SILENT, **DEAF), told, **more)} == set(told)


@pytest.mark.parametrize(
    ("change", "settings", "headline"),
    [
        pytest.param(SILENT, {"channels": "1h"}, "No longer watched: no_items", id="no check of that kind"),
        pytest.param(
            {"seen": {"Wire": NOW - 3 * DAY}}, {"feeds": {"Lab": "9d"}}, "No longer watched: feeds Wire",
            id="no check of that feed",
        ),
    ],
)  # fmt: skip
def test_what_is_no_longer_checked_is_not_called_well(
    change: dict[str, Any], settings: dict[str, Any], headline: str
) -> None:
    (end,) = found(stream(**change), as_told(*found(stream(**change))), **settings)
    assert (end.headline, end.phase) == (headline, "end")


def test_the_start_is_named_by_what_fails_and_since_when() -> None:
    raised = found(stream(last_item=NOW - DAY, seen={"Wire": NOW - 9 * DAY}), **ALL, send=["desk"], severity="info")
    assert [one.key for one in raised] == [
        "stream:no_items:2026-11-22T14:02:00+00:00",
        "stream:feeds:Wire:2026-11-14T14:02:00+00:00",
    ]
    assert {one.key == one.thread for one in raised} == {True}
    assert {(one.rule, one.kind, one.severity, one.topic, one.send) for one in raised} == {
        ("stream", "silence", "info", "", ("desk",))
    }


def test_names_with_colons_are_not_mixed_up() -> None:
    late = {"A": NOW - 9 * DAY, "A:B": NOW - 9 * DAY, "feeds:A": NOW - 9 * DAY}
    settings: dict[str, Any] = {"feeds": dict.fromkeys(late, "1d"), "name": "x:y"}
    told = as_told(*found(stream(seen=late), **settings))
    (end, *others) = (one for one in found(stream(seen={**late, "A:B": NOW}), told, **settings) if one.phase == "end")
    assert (end.headline, others) == ("Feed “A:B” brings news again, after 9 days", [])


@pytest.mark.parametrize(
    ("change", "settings", "headline", "explanation", "advice"),
    [
        pytest.param(
            {"last_item": NOW - 30 * HOUR, "failing": 0}, {"no_items": "12h"},
            "No news for 30 hours: nothing new from any feed since Sun 08:02",
            f"All 40 feeds answer, but bring nothing new. {PAUSED}",
            "Open a feed’s address in a browser. If that is usual for them, as on a holiday, raise no_items: in "
            "feeds.yaml.",
            id="feeds answer, and bring nothing new",
        ),
        pytest.param(
            {"last_item": NOW - 30 * HOUR, "failing": 25}, {"no_items": "12h"},
            "No news for 30 hours: nothing new from any feed since Sun 08:02",
            f"25 of 40 feeds fail; the others answer, but bring nothing new. {PAUSED}",
            STATUS,
            id="some fail, the others bring nothing new",
        ),
        pytest.param(
            {"last_item": NOW - 30 * HOUR, "last_ok": NOW - 31 * HOUR, "failing": 40}, {"no_items": "12h"},
            "No news for 30 hours: nothing new from any feed since Sun 08:02",
            f"No feed has answered well since Sun 07:02. {PAUSED}",
            NETWORK,
            id="no feed has answered since",
        ),
        pytest.param(
            {"began": NOW - DAY, "last_item": None, "last_ok": None, "failing": 40}, {"no_items": "12h"},
            "No news for 24 hours: nothing new from any feed since Sun 14:02",
            f"No feed has ever answered well. {PAUSED}",
            NETWORK,
            id="no feed has ever answered",
        ),
        pytest.param(
            {"last_ok": NOW - 2 * HOUR, "failing": 40}, {"no_answer": "2h"},
            "No feed has answered for 2 hours",
            f"No feed has answered well since Mon 12:02. 40 of 40 feeds fail. {PAUSED}",
            NETWORK,
            id="no answers",
        ),
        pytest.param(
            {"failing": 30}, {"failing": 50},
            "75% of the feeds fail: 30 of 40",
            f"They fail or are blocked; the limit of this rule is 50%. {PAUSED}",
            NETWORK,
            id="a large share fails",
        ),
        pytest.param(
            {}, {"feeds": {"Lab": "2d"}},
            "Feed “Lab” has brought nothing new since Fri 14:02",
            f"It must bring news within 2 days, says this rule. {ABOUT}.",
            f"{STATUS} Then open the feed’s address in a browser; its publisher may have moved or stopped.",
            id="a feed that must bring news",
        ),
        pytest.param(
            {"channels": (mute("the desk", given_up=1),)}, {"channels": "1h"},
            "Channel “the desk” has taken no message for 2 hours",
            "HTTP 404: no_team. Since Mon 12:02; 3 messages wait for it, 1 was given up.",
            "Run `monitor alerts test 'the desk'`: it sends a message and says what fails.",
            id="a channel",
        ),
    ],
)  # fmt: skip
def test_the_message(
    change: dict[str, Any], settings: dict[str, Any], headline: str, explanation: str, advice: str
) -> None:
    (one,) = found(stream(**change), **settings)
    assert (one.headline, one.explanation, one.advice) == (headline, explanation, advice)


@pytest.mark.parametrize(
    ("change", "headline", "explanation"),
    [
        pytest.param(
            SILENT, "News flows again, after 29 hours",
            "Nothing new had come from any feed. What feeds published meanwhile and show no more is missing.",
            id="news",
        ),
        pytest.param(
            {"last_ok": NOW - 3 * HOUR}, "Feeds answer again, after 8 hours",
            "1 of 40 feeds fails. What feeds published meanwhile and show no more is missing.",
            id="answers",
        ),
        pytest.param(
            HALF, "Fewer feeds fail again, after 5 hours: 1 of 40 feeds fails",
            "Trends count them again. What feeds published meanwhile and show no more is missing.",
            id="feeds",
        ),
        pytest.param(
            {"seen": {"Wire": NOW - 3 * DAY}}, "Feed “Wire” brings news again, after 3 days", f"{ABOUT}.", id="a feed"
        ),
        pytest.param(
            {"channels": (mute("the {desk}"),)}, "Channel “the {desk}” takes messages again, after 7 hours",
            "What waited for it goes out now; what was given up is sent by `monitor deliver --failed`.",
            id="a channel",
        ),
    ],
)  # fmt: skip
def test_the_end(change: dict[str, Any], headline: str, explanation: str) -> None:
    (start,) = found(stream(**change))
    later = NOW + 5 * HOUR
    health = stream(last_item=later, last_ok=later, seen={"Wire": later})
    (end,) = found(health, as_told(start), later, **ALL, send=["desk"])
    assert (end.headline, end.explanation) == (headline, explanation)
    assert (end.key, end.thread, end.phase, end.severity, end.topic, end.send) == (
        f"{start.key}:end", start.key, "end", "info", "", ("desk",)
    )  # fmt: skip


def test_times_are_told_in_the_users_zone() -> None:
    (one,) = findings(rule(no_items="1h"), Occasion(NOW, zone="Asia/Tokyo", stream=stream(last_item=NOW - 3 * HOUR)))
    assert (one.headline, one.zone) == (
        "No news for 3 hours: nothing new from any feed since Mon 20:02", "Asia/Tokyo"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("send", "failing", "told"),
    [
        pytest.param([], ["slack"], ["mail", "desk"], id="the rule tells all"),
        pytest.param(["slack", "desk"], ["slack"], ["desk"], id="the rule tells two, one of them works"),
        pytest.param(["slack"], ["slack"], ["mail", "desk"], id="the rule tells only the one that fails"),
        pytest.param(["slack", "mail"], ["slack", "mail"], ["desk"], id="none of the rule's works"),
        pytest.param(["desk"], ["slack"], ["desk"], id="the rule does not tell the one that fails"),
        pytest.param([], ["slack", "mail", "desk"], ["slack", "mail", "desk"], id="none works at all"),
    ],
)
def test_a_channels_trouble_is_told_by_others(send: list[str], failing: list[str], told: list[str]) -> None:
    occasion = Occasion(NOW, stream=stream(channels=tuple(map(mute, failing))))
    raised = findings(rule(channels="1h", send=send), occasion)
    assert len(raised) == len(failing)
    for one in raised:
        assert list(one.send or receivers(one, occasion, ("slack", "mail", "desk"))) == told
        assert one.severity == "critical"


def test_other_troubles_are_told_by_all() -> None:
    occasion = Occasion(NOW, stream=stream(**SILENT, channels=(mute(),)))
    (one,) = findings(rule(no_items="1h"), occasion)
    assert receivers(one, occasion, ("slack", "mail")) == ("slack", "mail")
    assert receivers(replace(one, kind="trend"), occasion, ("slack", "mail")) == ("slack", "mail")


@pytest.mark.parametrize("name", TITLES.values(), ids=TITLES.keys())
def test_hostile_names_and_reasons_stay_words_on_one_line(name: str) -> None:
    health = stream(seen={name: NOW - 9 * DAY}, channels=(mute(name, error=name),))
    settings: dict[str, Any] = {"feeds": {name: "1d"}, "channels": "1h"}
    starts = found(health, **settings)
    ends = found(stream(seen={name: NOW}), as_told(*starts), **settings)
    for one in [*starts, *ends]:
        assert "\n" not in one.headline + one.explanation
        assert len(one.headline) <= 150
        assert len(one.explanation) < 1000


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param({}, "at least one", id="nothing to watch"),
        pytest.param({"no_items": "5m"}, "at least 10m", id="a silence shorter than the feeds' pace"),
        pytest.param({"feeds": {"Wire": "1m"}}, "at least 10m", id="too short for a feed"),
        pytest.param({"failing": 0}, "greater than or equal to 1", id="no share"),
        pytest.param({"failing": 101}, "less than or equal to 100", id="more than all"),
        pytest.param({"topics": ["efficiency"]}, "topics", id="a topic"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        rule(**settings)
