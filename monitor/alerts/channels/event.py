"""An alert as data for programs: what the channels `webhook` and `file` write. Pure.

A CloudEvent (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) of the type
``ai-market-monitor.alert.v1``: fields may be added to its data, but none will change its meaning or go away. Text of
feeds comes as in every other form: on one line, without control characters, links only as http and https.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from monitor.alerts.render.identity import mark
from monitor.alerts.wording import one_line, safe_link
from storage.alert_records import Alert, Chart, Delivery, StoryLine, StoryList, Table

TYPE = "ai-market-monitor.alert.v1"
_NAME, _TITLE, _TEXT = 200, 300, 2000  # characters
_ROWS = 100
_WORDS = 10

Fields = dict[str, Any]


def cloud_event(delivery: Delivery) -> Fields:
    """Return the whole event. Its ``id`` is the same at each attempt; ``source`` names the channel of feeds.yaml."""
    finding = delivery.alert.finding
    return {
        "specversion": "1.0",
        "id": mark(delivery),
        "source": f"urn:ai-market-monitor:{quote(delivery.channel, safe='')}",
        "type": TYPE,
        "time": _time(delivery.alert.created),
        "subject": "/".join(name for name in (_name(finding.rule), _name(finding.topic)) if name),
        "datacontenttype": "application/json",
        "data": data(delivery.alert),
    }


def data(alert: Alert) -> Fields:
    """Return what an alert says."""
    finding = alert.finding
    return {
        "alert_id": alert.id,
        "created": _time(alert.created),
        "rule": _name(finding.rule),
        "kind": _name(finding.kind),
        "severity": _name(finding.severity),
        "topic": _name(finding.topic),
        "phase": finding.phase,
        "thread": one_line(finding.thread or finding.key, _TITLE),
        "headline": one_line(finding.headline, _TITLE),
        "explanation": one_line(finding.explanation, _TEXT),
        "advice": one_line(finding.advice, _TEXT),
        "observed": finding.observed,
        "expected": finding.expected,
        "stories": _stories(finding.stories),
        "charts": [_chart(chart) for chart in finding.charts[:_ROWS]],
        "tables": [_table(table) for table in finding.tables[:_ROWS]],
        "lists": [_list(one) for one in finding.lists[:_ROWS]],
    }


def written(fields: Fields) -> bytes:
    """Write fields as JSON on one line."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _name(text: str) -> str:
    return one_line(text, _NAME)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _stories(stories: tuple[StoryLine, ...]) -> list[Fields]:
    return [
        {
            "title": one_line(story.title, _TITLE),
            "url": safe_link(story.url),
            "feed": _name(story.feed),
            "outlets": story.outlets,
            "probability": story.probability,
            "words": [_name(word) for word in story.words[:_WORDS]],
            "published": _time(story.published),
        }
        for story in stories[:_ROWS]
    ]


def _chart(chart: Chart) -> Fields:
    days = [{"day": day.day.isoformat(), "stories": day.stories} for day in chart.days]
    return {"topic": _name(chart.topic), "days": days, "expected": chart.expected}


def _table(table: Table) -> Fields:
    rows = table.rows[:_ROWS]
    return {
        "title": one_line(table.title, _TITLE),
        "columns": [_name(column) for column in table.columns],
        "rows": [[{"text": one_line(cell.text, _TITLE), "url": safe_link(cell.url)} for cell in row] for row in rows],
        "left_out": table.left_out + len(table.rows) - len(rows),
    }


def _list(one: StoryList) -> Fields:
    stories = _stories(one.stories)
    left_out = one.left_out + len(one.stories) - len(stories)
    return {"title": one_line(one.title, _TITLE), "stories": stories, "left_out": left_out}
