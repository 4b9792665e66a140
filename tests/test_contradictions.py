"""What is well-formed in feeds.yaml and cannot work all the same: where it stands, and what to do."""

from pathlib import Path
from typing import Any

import pytest

from monitor.config import Config
from monitor.contradictions import contradictions

TOPICS = ("efficiency", "capex")
WIRE = {"name": "Wire", "url": "https://wire.example/"}
TREND, QUERY = {"name": "surge", "rule": "trend"}, {"name": "rows", "rule": "query", "sql": "SELECT 1"}


def problems(**blocks: Any) -> list[tuple[str, str]]:
    config = Config.model_validate({"feeds": [WIRE], **blocks})
    return [(".".join(map(str, one.place)), one.message) for one in contradictions(config, TOPICS)]


def rules(*found: dict[str, Any]) -> dict[str, Any]:
    return {"alerts": list(found)}


def compound(*conditions: dict[str, str]) -> dict[str, Any]:
    return {"name": "both", "rule": "compound", "all": list(conditions)}


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param({}, id="a feed alone"),
        pytest.param(rules(), id="no rules"),
        pytest.param(rules(TREND, {**QUERY, "muted_by": ["surge"]}), id="a rule muted by another one"),
        pytest.param(rules(compound({"rises": "efficiency"}, {"alert": "surge"}), TREND), id="one that waits for one"),
        pytest.param(
            rules({"name": "s", "rule": "silence", "feeds": {"Wire": "2d"}, "send": ["console"]}),
            id="a feed and a channel that there are",
        ),
    ],
)
def test_what_can_work_is_left_alone(blocks: dict[str, Any]) -> None:
    assert problems(**blocks) == []


@pytest.mark.parametrize(
    ("blocks", "place", "text"),
    [
        pytest.param({"feeds": [{**WIRE, "enabled": False}]}, "feeds", "list at least one feed", id="no feed is on"),
        pytest.param(
            {"feeds": [WIRE, {**WIRE, "url": "https://b.example/"}]}, "feeds.1.name", "feeds.0 has", id="a name twice"
        ),
        pytest.param({"topics": {"crypto": {}}}, "topics.crypto", "no such topic", id="settings of an unknown topic"),
        pytest.param(
            {"topics": {"capex": {"examples": "x.jsonl"}}}, "topics.capex.examples", "has this topic",
            id="a topic twice",
        ),
        pytest.param(
            {"topics": {"power": {"examples": "x.jsonl"}}}, "topics.power.examples", "no file", id="no examples"
        ),
        pytest.param(rules(TREND, TREND), "alerts.1.name", "alerts.0 has the same name", id="two rules of one name"),
        pytest.param(
            rules({**TREND, "topics": ["crypto"]}), "alerts.0.topics", "no topic 'crypto'", id="a rule's unknown topic"
        ),
        pytest.param(
            rules(compound({"rises": "crypto"}, {"falls": "capex"})), "alerts.0.topics", "no topic 'crypto'",
            id="a condition on an unknown topic",
        ),
        pytest.param(
            rules(compound({"rises": "capex"}, {"alert": "surge"})), "alerts.0.all", "no other rule 'surge'",
            id="a condition on a rule that there is not",
        ),
        pytest.param(
            rules(QUERY, {**TREND, "muted_by": ["rows"]}), "alerts.1.muted_by", "it can mute nothing",
            id="muted by a rule without a topic",
        ),
        pytest.param(
            rules({**TREND, "send": ["consol"]}), "alerts.0.send", "did you mean 'console'?", id="a misspelt channel"
        ),
        pytest.param(
            rules({**TREND, "send": ["zzz"]}), "alerts.0.send", "there are: console", id="a channel like no other"
        ),
        pytest.param(
            rules({**TREND, "muted_by": ["surge"]}), "alerts.0.muted_by", "no other rule", id="a rule muted by itself"
        ),
        pytest.param(
            rules({"name": "m", "rule": "match", "feeds": ["Wir"]}), "alerts.0.feeds", "did you mean 'Wire'?",
            id="a misspelt feed",
        ),
        pytest.param(
            rules({"name": "s", "rule": "silence", "feeds": {"Gone": "2d"}}), "alerts.0.feeds", "no feed 'Gone'",
            id="a feed that must bring news and that there is not",
        ),
        pytest.param(
            rules(TREND, {**QUERY, "sql": "SELECT oops"}), "alerts.1.sql", "no such column: oops",
            id="a query that SQLite refuses",
        ),
        pytest.param(
            {"classifier": {"labels": {"capex": "A"}}}, "classifier.labels", "name it with `model:`",
            id="labels without a model",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_named_with_its_place(blocks: dict[str, Any], place: str, text: str) -> None:
    [(found, said)] = problems(**blocks)
    assert (found, text in said) == (place, True), said


def test_topics_of_ones_own_are_known_to_rules(tmp_path: Path) -> None:
    examples = tmp_path / "power.jsonl"
    examples.touch()
    assert problems(topics={"power": {"examples": examples}}, **rules({**TREND, "topics": ["power"]})) == []
