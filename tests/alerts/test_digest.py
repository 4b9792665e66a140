"""The rule `digest`: when one is due, over which period, and what it says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.alerts.rules.digest import HELD_SHOWN, DigestRule, Period, due, findings
from monitor.alerts.rules.digest_words import ALERTS_SHOWN
from monitor.alerts.rules.occasion import Occasion
from storage.alert_records import AlertLine, AlertState, DigestData, Finding, Table, TopicPeriod
from storage.records import TrendState
from tests.alerts.sample import NOW, TREND, days, stories

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = datetime(2026, 11, 23, 8, tzinfo=UTC)  # a Monday
SINCE = UNTIL - DAY
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FORMAT = "%Y-%m-%d %H:%M"


def rule(**settings: Any) -> DigestRule:
    return DigestRule.model_validate({"rule": "digest", "name": "morning", **settings})


def at(text: str) -> datetime:
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)


class TestSettings:
    @pytest.mark.parametrize(
        ("settings", "complaint"),
        [
            pytest.param({"at": "24:00"}, 'from "00:00" to "23:59"', id="there is no such time"),
            pytest.param({"at": "8 am"}, 'such as "08:00"', id="another way to write it"),
            pytest.param({"at": 800}, 'such as "08:00"', id="a number"),
            pytest.param({"days": []}, "at least 1 item", id="on no day"),
            pytest.param({"days": ["monday"]}, "'mon', 'tue'", id="no short name of a day"),
            pytest.param({"zone": "Mars/Base"}, "no time zone 'Mars/Base'", id="no such zone"),
            pytest.param({"stories": 0}, "greater than or equal to 1", id="no story at all"),
            pytest.param({"cooldown": "1h"}, "leave this out", id="it does not wait"),
            pytest.param({"quiet": ["22:00-07:00"]}, "leave this out", id="it comes at its time, however late"),
            pytest.param({"weekly_budget": 3}, "leave this out", id="it counts for no budget"),
            pytest.param({"repeat": "1d"}, "leave this out", id="nothing of it lasts"),
            pytest.param({"muted_by": ["surge"]}, "leave this out", id="nothing else tells the same"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, settings: dict[str, Any], complaint: str) -> None:
        with pytest.raises(ValidationError, match=complaint):
            rule(**settings)

    def test_an_hour_may_have_one_digit(self) -> None:
        assert rule(at="7:05").at == "07:05"

    def test_it_is_daily_at_eight_and_no_warning_unless_told_otherwise(self) -> None:
        usual = rule()
        assert (usual.at, len(usual.days), usual.severity, usual.stories) == ("08:00", 7, "info", 5)


BERLIN, NEW_YORK, APIA = "Europe/Berlin", "America/New_York", "Pacific/Apia"


@pytest.mark.parametrize(
    ("settings", "zone", "now", "period"),
    [
        pytest.param({}, "UTC", "2026-11-23 08:00", ("2026-11-22 08:00", "2026-11-23 08:00"), id="on the dot"),
        pytest.param({}, "UTC", "2026-11-23 07:59", ("2026-11-21 08:00", "2026-11-22 08:00"), id="a minute before"),
        pytest.param({}, BERLIN, "2026-11-23 07:00", ("2026-11-22 07:00", "2026-11-23 07:00"), id="in local time"),
        pytest.param({}, BERLIN, "2026-07-06 06:00", ("2026-07-05 06:00", "2026-07-06 06:00"), id="in summer time"),
        pytest.param(
            {"zone": NEW_YORK}, BERLIN, "2026-11-23 13:30", ("2026-11-22 13:00", "2026-11-23 13:00"), id="its own zone"
        ),
        pytest.param(
            {"at": "00:00"}, NEW_YORK, "2026-11-23 05:00", ("2026-11-22 05:00", "2026-11-23 05:00"), id="at midnight"
        ),
        pytest.param({}, BERLIN, "2026-03-29 07:00", ("2026-03-28 07:00", "2026-03-29 06:00"), id="a day of 23 hours"),
        pytest.param({}, BERLIN, "2026-10-25 08:00", ("2026-10-24 06:00", "2026-10-25 07:00"), id="a day of 25 hours"),
        pytest.param(
            {"at": "02:30"},
            BERLIN,
            "2026-03-29 01:00",
            ("2026-03-28 01:30", "2026-03-29 01:00"),
            id="a time that is skipped: when the clocks jump to 03:00",
        ),
        pytest.param(
            {"at": "02:30"},
            BERLIN,
            "2026-10-25 00:30",
            ("2026-10-24 00:30", "2026-10-25 00:30"),
            id="a time that comes twice: the first",
        ),
        pytest.param(
            {"at": "02:30"},
            BERLIN,
            "2026-10-25 01:30",
            ("2026-10-24 00:30", "2026-10-25 00:30"),
            id="a time that comes twice: the second is none",
        ),
        pytest.param(
            {"at": "12:00"},
            APIA,
            "2011-12-30 11:00",
            ("2011-12-29 22:00", "2011-12-30 10:00"),
            id="a day that is skipped: when the next one begins",
        ),
        pytest.param(
            {"at": "00:00"},
            APIA,
            "2011-12-30 11:00",
            ("2011-12-29 10:00", "2011-12-30 10:00"),
            id="a day that is skipped, at the moment that is its midnight and that of the next one",
        ),
        pytest.param(
            {"days": ["mon"]}, "UTC", "2026-11-23 08:00", ("2026-11-16 08:00", "2026-11-23 08:00"), id="once a week"
        ),
        pytest.param(
            {"days": ["mon"]},
            "UTC",
            "2026-11-23 07:00",
            ("2026-11-09 08:00", "2026-11-16 08:00"),
            id="once a week, an hour before",
        ),
        pytest.param(
            {"days": ["mon"]},
            BERLIN,
            "2026-10-26 07:00",
            ("2026-10-19 06:00", "2026-10-26 07:00"),
            id="a week of 169 hours",
        ),
        pytest.param(
            {"days": ["mon", "fri"]},
            "UTC",
            "2026-11-23 08:00",
            ("2026-11-20 08:00", "2026-11-23 08:00"),
            id="on Mondays since Friday",
        ),
        pytest.param(
            {"days": ["sun"], "zone": "Asia/Tokyo"},
            "UTC",
            "2026-11-21 23:00",
            ("2026-11-14 23:00", "2026-11-21 23:00"),
            id="on the weekday of its own zone",
        ),
    ],
)
def test_it_is_due_at_a_local_time_since_the_time_before(
    settings: dict[str, Any], zone: str, now: str, period: tuple[str, str]
) -> None:
    expected = Period(*map(at, period))
    assert due(rule(**settings), zone, [], LONG_AGO, at(now)) == expected


def key(slot: str, name: str = "morning") -> str:
    return f"{name}:digest:{at(slot).isoformat()}"


@pytest.mark.parametrize(
    ("settings", "told", "now", "period"),
    [
        pytest.param({}, [key("2026-11-23 08:00")], "2026-11-23 20:00", None, id="it was told"),
        pytest.param(
            {}, [key("2026-11-22 08:00")], "2026-11-23 07:59", None, id="the last one was, the next is to come"
        ),
        pytest.param(
            {},
            [key("2026-11-22 08:00")],
            "2026-11-23 08:00",
            ("2026-11-22 08:00", "2026-11-23 08:00"),
            id="the one before was told",
        ),
        pytest.param(
            {},
            [key("2026-11-19 08:00"), key("2026-11-20 08:00")],
            "2026-11-23 15:00",
            ("2026-11-20 08:00", "2026-11-23 08:00"),
            id="two were missed: the newest reaches back to the last one told",
        ),
        pytest.param(
            {},
            [key("2026-08-20 08:00")],
            "2026-11-23 15:00",
            ("2026-10-23 08:00", "2026-11-23 08:00"),
            id="three months were missed: it reaches back a month",
        ),
        pytest.param(
            {"days": ["mon"]},
            [key("2026-11-22 08:00")],
            "2026-11-23 08:00",
            ("2026-11-16 08:00", "2026-11-23 08:00"),
            id="it was daily, and became weekly: it tells of a week",
        ),
        pytest.param(
            {"at": "09:00"},
            [key("2026-11-23 08:00")],
            "2026-11-23 08:30",
            None,
            id="it was moved to a later hour: today's was told",
        ),
        pytest.param(
            {"at": "09:00"},
            [key("2026-11-22 08:00")],
            "2026-11-23 09:00",
            ("2026-11-22 08:00", "2026-11-23 09:00"),
            id="it was moved to a later hour: nothing falls between",
        ),
        pytest.param(
            {},
            [key("2031-01-01 08:00")],
            "2026-11-23 08:00",
            ("2026-11-22 08:00", "2026-11-23 08:00"),
            id="the clock was wrong once, and told a digest of years to come",
        ),
        pytest.param(
            {},
            [key("2026-11-23 08:00", "evening"), "surge:efficiency:rise:2026-11-20T08:00:00+00:00"],
            "2026-11-23 08:00",
            ("2026-11-22 08:00", "2026-11-23 08:00"),
            id="other rules' alerts were told",
        ),
        pytest.param(
            {},
            [key("2026-11-23 08:00", "morning:digest:late"), "morning:digest:2026-11-23"],
            "2026-11-23 08:00",
            ("2026-11-22 08:00", "2026-11-23 08:00"),
            id="keys that only begin alike",
        ),
    ],
)
def test_what_was_missed_is_told_once(
    settings: dict[str, Any], told: Sequence[str], now: str, period: tuple[str, str] | None
) -> None:
    expected = Period(*map(at, period)) if period else None
    assert due(rule(**settings), "UTC", told, LONG_AGO, at(now)) == expected


@pytest.mark.parametrize(
    ("began", "tells"),
    [
        pytest.param(None, False, id="nothing was ever polled"),
        pytest.param(UNTIL + HOUR, False, id="the first poll came after the time"),
        pytest.param(UNTIL, False, id="the first poll came at the time"),
        pytest.param(UNTIL - HOUR, True, id="the first poll came an hour before"),
    ],
)
def test_the_first_one_comes_after_the_first_poll(began: datetime | None, tells: bool) -> None:
    assert bool(due(rule(), "UTC", [], began, UNTIL + 2 * HOUR)) is tells


def test_told_once_it_is_due_no_more() -> None:
    [finding] = found(data(topic()))
    assert due(rule(), "UTC", [finding.key], LONG_AGO, UNTIL + 5 * HOUR) is None
    assert due(rule(), "UTC", [finding.key], LONG_AGO, UNTIL + DAY) == Period(UNTIL, UNTIL + DAY)


# What it says


def topic(
    name: str = "efficiency",
    told: int = 23,
    expected: float | None = 11.0,
    state: TrendState | None = "normal",
    top: int = 0,
    **trend: Any,
) -> TopicPeriod:
    began = {"episode": UNTIL - 18 * HOUR, "alarmed": UNTIL - 40 * DAY, **trend}
    look = None if state is None else replace(TREND, topic=name, state=state, **began)
    return TopicPeriod(name, told, expected, 0.31 if told else 0.0, look, days(), stories()[:top])


def line(number: int, state: AlertState = "told", **change: Any) -> AlertLine:
    created = UNTIL - number * HOUR
    usual = AlertLine(
        number, created, "surge", "trend", "warning", "capex", f"Alert {number}", "once", state, "", ("desk",)
    )
    return replace(usual, **change)


def data(*topics: TopicPeriod, since: datetime = SINCE, **change: Any) -> DigestData:
    return replace(DigestData(since, UNTIL, 1204, topics, (), ()), **change)


def found(told: DigestData, file_zone: str = "UTC", **settings: Any) -> list[Finding]:
    return findings(rule(**settings), Occasion(now=NOW, zone=file_zone, digests={"morning": told}))


def test_it_finds_nothing_unless_a_digest_is_due() -> None:
    other = Occasion(now=NOW, digests={"evening": data(topic())})
    assert findings(rule(), Occasion(now=NOW)) == findings(rule(), other) == []


@pytest.mark.parametrize(
    ("topics", "headline"),
    [
        pytest.param(
            [topic("capex", 14), topic("geopolitics", 9, None, "learning"), topic(state="surging")],
            "Monday’s digest: efficiency surging with 23 stories (×2.1); as usual: capex 14;"
            " no norm yet: geopolitics 9",
            id="what is unusual leads",
        ),
        pytest.param(
            [topic("capex", 14), topic("geopolitics", 9), topic()],
            "Monday’s digest, all as usual: efficiency 23 stories, capex 14, geopolitics 9",
            id="an ordinary day",
        ),
        pytest.param(
            [topic("capex", 14), topic("geopolitics", 9, None, None), topic(told=1)],
            "Monday’s digest, nothing unusual: capex 14 stories, geopolitics 9, efficiency 1",
            id="an ordinary day, as far as is known",
        ),
        pytest.param(
            [topic("capex", 0, None, "learning"), topic(told=1, expected=None, state="learning")],
            "Monday’s digest: efficiency 1 story, capex 0",
            id="the first days",
        ),
        pytest.param(
            [topic("chip_supply", 0, 7.2, "quiet"), topic("capex", 2, 6.6, "falling")],
            "Monday’s digest: capex falling with 2 stories (×0.3), chip supply gone quiet with no story (7.2 expected)",
            id="topics fall",
        ),
        pytest.param(
            [topic(alarmed=UNTIL - HOUR), topic("capex", 30)],
            "Monday’s digest: efficiency 23 stories (×2.1); as usual: capex 30",
            id="it was unusual within the period, and is no more",
        ),
        pytest.param(
            [topic(expected=None, state="learning", alarmed=UNTIL - HOUR)],
            "Monday’s digest: efficiency 23 stories",
            id="it was unusual before an outage",
        ),
        pytest.param(
            [topic(expected=None, state="rising")],
            "Monday’s digest: efficiency rising with 23 stories",
            id="the judgement is too young for the period",
        ),
        pytest.param(
            [topic(told=2, expected=0.04, state="rising")],
            "Monday’s digest: efficiency rising with 2 stories (less than 0.1 expected)",
            id="next to nothing was expected",
        ),
        pytest.param(
            [topic("model_" + "x" * 20 + str(n), 40 - n, state="surging") for n in range(9)],
            f"Monday’s digest: model {'x' * 20}0 surging with 40 stories (×3.6),"
            f" model {'x' * 20}1 surging with 39 stories (×3.5) and 7 more",
            id="more topics than have room",
        ),
        pytest.param([], "Monday’s digest: 1,204 new items", id="no topic at all"),
    ],
)
def test_the_headline_tells_the_period(topics: Sequence[TopicPeriod], headline: str) -> None:
    [finding] = found(data(*topics))
    assert finding.headline == headline
    assert len(headline) <= 150


@pytest.mark.parametrize(
    ("since", "settings", "zone", "name"),
    [
        pytest.param(UNTIL - 25 * HOUR, {}, "UTC", "Monday’s digest", id="a day of 25 hours"),
        pytest.param(UNTIL - 7 * DAY, {}, "UTC", "Digest of 7 days", id="a week"),
        pytest.param(UNTIL - 3 * DAY, {}, "UTC", "Digest of 3 days", id="a weekend"),
        pytest.param(SINCE, {"zone": "Pacific/Honolulu"}, "UTC", "Sunday’s digest", id="its own zone has another day"),
        pytest.param(SINCE, {}, "Pacific/Honolulu", "Sunday’s digest", id="the file's zone has another day"),
    ],
)
def test_the_headline_names_the_period(since: datetime, settings: dict[str, Any], zone: str, name: str) -> None:
    [finding] = found(data(topic(), since=since), zone, **settings)
    assert finding.headline.startswith(f"{name}, all as usual: ")


@pytest.mark.parametrize(
    ("told", "explanation"),
    [
        pytest.param(
            data(topic(state="surging"), topic("capex", 1, 7.2, "falling"), alerts=(line(1), line(2)), held=(line(3),)),
            "1,204 new items from Sun 08:00 to Mon 08:00. Unusual: efficiency (23 stories, 11 expected), capex"
            " (1 story, 7.2 expected). 2 alerts were raised, 1 was held back.",
            id="a lively day",
        ),
        pytest.param(
            data(topic(), topic("capex", 1, None, "learning"), items=1, alerts=(line(1),)),
            "1 new item from Sun 08:00 to Mon 08:00. Nothing is unusual. 1 alert was raised.",
            id="a quiet day",
        ),
        pytest.param(
            data(topic(expected=None, state="learning"), since=UNTIL - 14 * DAY, held=(line(1), line(2))),
            "1,204 new items from 9 Nov to Mon 08:00. What is usual is still being learned. No alert was raised,"
            " 2 were held back.",
            id="the first fortnight",
        ),
        pytest.param(
            data(*(topic(f"topic{n}", 9 - n, state="rising") for n in range(8))),
            "1,204 new items from Sun 08:00 to Mon 08:00. Unusual: "
            + ", ".join(f"topic{n} ({9 - n} stories, 11 expected)" for n in range(6))
            + " and 2 more. No alert was raised.",
            id="everything is unusual",
        ),
    ],
)
def test_the_explanation_says_what_was_read_and_what_is_unusual(told: DigestData, explanation: str) -> None:
    [finding] = found(told)
    assert finding.explanation == explanation


def rows(table: Table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row) for row in table.rows]


def test_a_table_sets_each_topic_against_what_was_expected() -> None:
    topics = [
        topic("chip_supply", 0, 0.04),
        topic("geopolitics", 1_204, None, "learning", ready=UNTIL + 11 * DAY),
        topic("robots", 2, None, "learning", ready=None),
        topic("policy", 3, None, None),
        topic("capex", 8, 12.6, alarmed=UNTIL - HOUR),
        topic(state="surging"),
    ]
    [table] = found(data(*topics))[0].tables
    assert table.columns == ("Topic", "Stories", "Expected", "Times", "Share", "State")
    assert table.numbers == ("Stories", "Expected", "Times", "Share")
    assert rows(table) == [
        ("Efficiency", "23", "11", "×2.1", "31%", "surging since Sun 14:00"),
        ("Capex", "8", "13", "×0.6", "31%", "as usual again"),
        ("Geopolitics", "1,204", "–", "–", "31%", "still learning, until about 4 Dec"),
        ("Policy", "3", "–", "–", "31%", "not judged yet"),
        ("Robots", "2", "–", "–", "31%", "still learning"),
        ("Chip supply", "0", "less than 0.1", "–", "0%", "as usual"),
    ]


def test_alerts_are_listed_in_local_time_and_only_so_many() -> None:
    alerts = tuple(line(n) for n in range(1, ALERTS_SHOWN + 4))
    held = (line(30, "muted", why="told by 'surge': Efficiency news"), line(31, "silenced", severity="critical"))
    _, told, back = found(data(topic(), alerts=alerts, held=held), "Europe/Berlin")[0].tables
    assert (told.title, told.columns, told.left_out) == ("What was alerted", ("Time", "Rule", "Alert"), 3)
    assert rows(told)[:2] == [("Mon 08:00", "surge", "Alert 1"), ("Mon 07:00", "surge", "Alert 2")]
    assert (back.title, back.columns, back.left_out) == ("What was held back", ("Time", "Rule", "Alert", "Why"), 0)
    assert rows(back) == [
        ("Sun 02:00", "surge", "Alert 31", "silenced"),
        ("Sun 03:00", "surge", "Alert 30", "told by 'surge': Efficiency news"),
    ]


@pytest.mark.parametrize(
    ("settings", "held", "carried"),
    [
        pytest.param({}, line(1, "held", why="weekly budget"), True, id="beyond the weekly budget"),
        pytest.param({}, line(1, "muted"), True, id="muted"),
        pytest.param({}, line(1, "silenced", why="silenced until 14:00"), True, id="silenced"),
        pytest.param({}, line(1, "held", why="quiet hours"), False, id="quiet hours end by themselves"),
        pytest.param({}, line(1, "held", why="cooldown"), False, id="a cooldown ends by itself"),
        pytest.param({"send": ["desk"]}, line(1, "muted"), True, id="the same channel"),
        pytest.param({"send": ["desk", "boss"]}, line(1, "muted"), True, id="its channel and another"),
        pytest.param({"send": ["boss"]}, line(1, "muted"), False, id="another channel"),
        pytest.param(
            {"send": ["desk"]}, line(1, "muted", send=("desk", "boss")), False, id="one channel would miss it"
        ),
        pytest.param({}, line(1, "muted", send=("desk", "boss")), True, id="all channels"),
    ],
)
def test_it_carries_what_nothing_else_would_tell(settings: dict[str, Any], held: AlertLine, carried: bool) -> None:
    [finding] = found(data(topic(), held=(held,)), **settings)
    assert finding.carries == ((1,) if carried else ())
    assert rows(finding.tables[1])[0][2] == "Alert 1"


def test_what_it_cannot_list_is_not_carried_and_what_comes_out_by_itself_makes_room() -> None:
    waiting = [line(n, "held", why="cooldown", severity="critical") for n in (1, 2)]
    over_budget = [line(n, "held", why="weekly budget") for n in range(3, HELD_SHOWN + 5)]
    [finding] = found(data(topic(), held=(*waiting, *over_budget)))
    assert finding.carries == tuple(range(3, HELD_SHOWN + 3))
    assert (len(finding.tables[1].rows), finding.tables[1].left_out) == (HELD_SHOWN, 4)


def test_stories_and_charts_come_by_topic_in_the_order_of_the_table() -> None:
    [finding] = found(data(topic("capex", 14, top=2), topic("policy", 0), topic(state="surging", top=3)))
    assert [(one.title, len(one.stories), one.left_out) for one in finding.lists] == [
        ("Efficiency", 3, 20),
        ("Capex", 2, 12),
    ]
    assert [(one.topic, one.expected, len(one.days)) for one in finding.charts] == [
        ("efficiency", 11.0, 30),
        ("capex", 11.0, 30),
        ("policy", 11.0, 30),
    ]


def test_it_is_an_occasion_of_its_own_for_the_channels_of_its_rule() -> None:
    [finding] = found(data(topic()), "Europe/Berlin", send=["desk"])
    assert (finding.key, finding.thread, finding.phase) == ("morning:digest:2026-11-23T08:00:00+00:00", "", "once")
    assert (finding.kind, finding.severity, finding.topic, finding.send) == ("digest", "info", "", ("desk",))
    assert (finding.zone, finding.evidence) == ("Europe/Berlin", ())
