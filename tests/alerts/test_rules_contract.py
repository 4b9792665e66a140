"""What holds for every rule, whatever it looks for: one suite over the table RULES."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from monitor.alerts.rules import RULES
from monitor.alerts.rules.occasion import Occasion, RuleSettings, Tagged
from monitor.alerts.wording import one_line
from storage.alert_records import (
    AlertLine,
    ChannelHealth,
    DigestData,
    Finding,
    QueryAnswer,
    StoryLine,
    StreamHealth,
    ToldAlert,
    TopicPeriod,
)
from storage.feed_records import FeedHealth
from tests.alerts.nasty import TITLES
from tests.alerts.sample import NOW, TREND, days, item, stories

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FINDING = TypeAdapter(Finding)
NAME = "watch"
Occasions = Callable[[str], Occasion]


@dataclass(frozen=True)
class Case:
    """A rule with its own settings, and an occasion on which it finds something: around a title of anybody's.

    ``over`` is the same world when what lasted has ended; None for what does not last.
    """

    kind: str
    own: Mapping[str, object]
    occasion: Occasions
    over: Callable[[Occasion], Occasion] | None = None

    def settings(self, **fields: Any) -> RuleSettings:
        return RULES[self.kind].settings.model_validate({"rule": self.kind, "name": NAME, **self.own, **fields})

    def found(self, occasion: Occasion, **fields: Any) -> list[Finding]:
        return RULES[self.kind].findings(self.settings(**fields), occasion)


def told_by(title: str) -> tuple[StoryLine, ...]:
    return tuple(replace(story, title=title, feed=title) for story in stories())


def surge(title: str) -> Occasion:
    return Occasion(NOW, trends=(TREND,), stories={"efficiency": told_by(title)}, days={"efficiency": days()})


def both(title: str) -> Occasion:
    fall = replace(TREND, topic="capex", way="fall", state="falling", observed=3, expected=9.0)
    return replace(surge(title), trends=(TREND, fall))


def calm(occasion: Occasion) -> Occasion:
    changed = {"state": "normal", "since": NOW - 2 * DAY, "episode": None, "alarmed": None, "way": None}
    return replace(occasion, trends=tuple(replace(trend, **changed) for trend in occasion.trends))  # type: ignore[arg-type]


def story(title: str) -> Occasion:
    return Occasion(NOW, tagged=(Tagged(item(1, title, summary=title, feed=title), {"efficiency": 0.9}),))


def answered(title: str) -> Occasion:
    return Occasion(NOW, answers={NAME: QueryAnswer((title or "a", "url"), ((title, "javascript:alert(1)"),), 1)})


def refused(title: str) -> Occasion:
    return Occasion(NOW, answers={NAME: QueryAnswer(error=title)})


def empty_answer(occasion: Occasion) -> Occasion:
    return replace(occasion, answers={NAME: QueryAnswer(("a",))})


def stream(**fields: Any) -> Callable[[str], Occasion]:
    flows = StreamHealth(NOW - 9 * DAY, NOW - HOUR, NOW, 10, 0, {})
    return lambda _title: Occasion(NOW, stream=replace(flows, **fields))


def channel(title: str) -> Occasion:
    return stream(channels=(ChannelHealth(title, NOW - DAY, 3, 1, title),))(title)


def flowing(occasion: Occasion) -> Occasion:
    return replace(occasion, stream=stream()("").stream)


def trouble(title: str) -> Occasion:
    return Occasion(NOW, feeds=(FeedHealth(3, title, "failing", NOW - 2 * DAY, reason=title),))


def mended(occasion: Occasion) -> Occasion:
    (feed,) = occasion.feeds
    well = replace(feed, state="ok", since=NOW, before="failing", before_since=feed.since)
    return replace(occasion, feeds=(well,))


def morning(title: str) -> Occasion:
    topic = TopicPeriod("efficiency", 23, 5.0, 0.3, TREND, days(), told_by(title))
    line = AlertLine(7, NOW, title, "match", "warning", "capex", title, "once", "muted", title, ("desk",))
    data = DigestData(NOW - DAY, NOW, 400, (topic,), (line,), (replace(line, id=8),))
    return Occasion(NOW, digests={NAME: data})


CASES = {
    "a surge": Case("trend", {}, surge, calm),
    "a match": Case("match", {}, story),
    "two trends": Case("compound", {"all": [{"rises": "efficiency"}, {"falls": "capex"}]}, both, calm),
    "rows of a query": Case("query", {"sql": "SELECT 1"}, answered, empty_answer),
    "a query that fails": Case("query", {"sql": "SELECT 1"}, refused),
    "no news": Case("silence", {"no_items": "12h"}, stream(last_item=NOW - DAY), flowing),
    "no answers": Case("silence", {"no_answer": "12h"}, stream(last_ok=NOW - DAY), flowing),
    "failing feeds": Case("silence", {"failing": 60}, stream(failing=7), flowing),
    "a channel in trouble": Case("silence", {"channels": "1h"}, channel, flowing),
    "a digest": Case("digest", {}, morning),
    "a feed in trouble": Case("feeds", {}, trouble, mended),
}
LASTING = [name for name, case in CASES.items() if case.over]
SEVERITIES = ("info", "warning", "critical")


def known(found: list[Finding]) -> dict[str, ToldAlert]:
    """Return what was found as alerts that were raised."""
    return {one.key: ToldAlert(one.key, one.rule, one.thread or one.key, one.phase, NOW) for one in found}


def later(occasion: Occasion, told: Mapping[str, ToldAlert], after: timedelta = HOUR / 6) -> Occasion:
    return replace(occasion, now=occasion.now + after, told=told)


def test_every_kind_of_rule_is_looked_at() -> None:
    assert {case.kind for case in CASES.values()} == set(RULES)


@pytest.mark.parametrize("name", CASES)
class TestEveryRule:
    def test_it_finds_the_same_on_the_same_occasion(self, name: str) -> None:
        case = CASES[name]
        first = case.found(case.occasion("News"))
        assert first
        assert case.found(case.occasion("News")) == first

    def test_it_names_itself_and_has_one_key_for_each_finding(self, name: str) -> None:
        case = CASES[name]
        found = case.found(case.occasion("News"))
        assert {(one.rule, one.kind) for one in found} == {(NAME, case.kind)}
        assert all(one.key.startswith(f"{NAME}:") for one in found)
        assert len({one.key for one in found}) == len(found)

    def test_it_finds_nothing_new_while_nothing_changes(self, name: str) -> None:
        case = CASES[name]
        first = case.found(case.occasion("News"))
        again = case.found(later(case.occasion("News"), known(first)))
        assert {one.key for one in again} <= {one.key for one in first}

    def test_what_it_finds_is_the_same_after_it_was_stored(self, name: str) -> None:
        case = CASES[name]
        found = case.found(case.occasion("News"))
        assert [FINDING.validate_json(FINDING.dump_json(one)) for one in found] == found

    @pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
    def test_a_title_of_anybodys_stays_text_of_one_line(self, name: str, title: str) -> None:
        case = CASES[name]
        for one in case.found(case.occasion(title)):
            assert one.headline == one_line(one.headline, 150) != ""
            assert " ".join(one.explanation.split()) == one_line(one.explanation, 3000)
            assert one.advice == one_line(one.advice, 500)

    def test_it_finds_nothing_where_there_is_nothing(self, name: str) -> None:
        assert CASES[name].found(Occasion(NOW)) == []

    def test_a_setting_that_it_does_not_know_is_refused(self, name: str) -> None:
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            CASES[name].settings(evry="1h")

    @pytest.mark.parametrize("severity", SEVERITIES)
    def test_severity_and_channels_are_those_of_the_rule(self, name: str, severity: str) -> None:
        case = CASES[name]
        wanted = {"a channel in trouble": "critical", "a query that fails": "warning"}.get(name, severity)
        for one in case.found(case.occasion("News"), severity=severity, send=["desk", "team"]):
            assert (one.severity, one.send) == (wanted, ("desk", "team"))

    def test_what_begins_has_a_thread_of_its_own(self, name: str) -> None:
        case = CASES[name]
        for one in case.found(case.occasion("News")):
            assert one.phase == ("start" if case.over else "once")
            assert one.thread in ({one.key} if case.over else {one.key, ""})


@pytest.mark.parametrize("name", LASTING)
class TestWhatLasts:
    def test_its_end_is_told_once_in_its_thread(self, name: str) -> None:
        case = CASES[name]
        assert case.over
        begun = case.found(case.occasion("News"))
        ended = case.found(later(case.over(case.occasion("News")), known(begun)))
        assert [(one.phase, one.thread, one.severity) for one in ended] == [("end", begun[0].thread, "info")]
        after = case.found(later(case.over(case.occasion("News")), known([*begun, *ended]), HOUR))
        assert {one.key for one in after} <= {one.key for one in ended}

    def test_an_end_of_what_was_never_told_is_no_end(self, name: str) -> None:
        case = CASES[name]
        assert case.over
        found = case.found(later(case.over(case.occasion("News")), {}))
        assert [one for one in found if one.phase in {"update", "end"}] == []

    def test_the_end_survives_storage_too(self, name: str) -> None:
        case = CASES[name]
        assert case.over
        begun = case.found(case.occasion("News"))
        ended = case.found(later(case.over(case.occasion("News")), known(begun)))
        assert [FINDING.validate_json(FINDING.dump_json(one)) for one in ended] == ended


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind not in {"query", "digest"}])
def test_two_rules_of_one_kind_have_keys_of_their_own(name: str) -> None:
    case = CASES[name]
    keys = [{one.key for one in case.found(case.occasion("News"), name=own)} for own in ("one", "two")]
    assert keys[0].isdisjoint(keys[1])
