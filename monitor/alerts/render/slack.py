"""An alert as Slack's Block Kit. Pure, and under Slack's limits whatever the input.

Limits: https://docs.slack.dev/reference/block-kit/blocks (50 blocks; 150 characters in a header, 3,000 in a text, 75 on
a button, 3,000 in its address). How long all texts may be together is not documented ("msg_blocks_too_long").
"""

from collections.abc import Iterable, Iterator
from typing import Any

from monitor.alerts.render.content import Content, commands, content
from monitor.alerts.render.grids import Field, Grid, aligned
from monitor.alerts.render.groups import Group, Line
from monitor.alerts.render.mrkdwn import code, link, mrkdwn, pieces, plain, shortened, units
from storage.alert_records import Alert

Block = dict[str, Any]

_HEADER = 150
_TEXT = 3000
_BUTTON = 24  # of 75: three of them fit side by side
_BUTTONS = 3
_BODY_BLOCKS = 40  # of 50: header, footer and the like need the others
_BODY_UNITS = 12_000
_TABLE_WIDTH = 76  # columns of equally wide letters that a window shows on one line


def payload(alert: Alert) -> dict[str, Any]:
    """Return the body of one webhook call. ``text`` is what notifications and screen readers tell."""
    words = content(alert)
    return {
        "text": mrkdwn(f"{words.headline} - {words.explanation}"),
        "blocks": _blocks(words),
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _blocks(words: Content) -> list[Block]:
    body = list(_body(words))
    shown = list(_fitting(body))
    return [
        {"type": "header", "text": {"type": "plain_text", "text": plain(words.headline, _HEADER), "emoji": False}},
        _context(mrkdwn(f"{words.label} · {words.raised}")),
        _section(_spoken(words.explanation) or "-"),
        *([_context(mrkdwn(words.held))] if words.held else []),
        *([_section(f"*What to do:* {_spoken(words.advice)}")] if words.advice else []),
        *shown,
        *([_context(_rest(words))] if len(shown) < len(body) else []),
        *_actions(words),
        _context("\n".join(_footer(words))),
    ]


def _spoken(text: str) -> str:
    """Return text in which commands that stand in backticks look like commands."""
    return "".join(f"`{code(part)}`" if command else mrkdwn(part) for part, command in commands(text))


def _rest(words: Content) -> str:
    return "The rest is too long for Slack" + (f": `{words.whole}`" if words.whole else "")


def _fitting(blocks: list[Block]) -> Iterator[Block]:
    """Yield blocks for as long as there is room."""
    room = _BODY_UNITS
    for block in blocks[:_BODY_BLOCKS]:
        room -= sum(units(text["text"]) for text in (block.get("text"), *block.get("elements", ())) if text)
        if room < 0:
            return
        yield block


def _body(words: Content) -> Iterator[Block]:
    for grid in words.leading:
        yield from _table(grid)
    yield from _strips(words)
    for number, group in enumerate(words.groups):
        yield from _stories(group, words.more if number == 0 else "")
    for grid in words.trailing:
        yield from _table(grid)


def _strips(words: Content) -> Iterator[Block]:
    if not words.small_strips:
        yield from (_section(f"`{one.sparkline}`\n{mrkdwn(f'{one.period} · {one.caption}')}") for one in words.strips)
        return
    first = words.strips[0]
    lines = [mrkdwn(f"{first.period} · stories a day ({first.zone})")]
    lines += [f"`{one.sparkline}`  {mrkdwn(one.name)}" for one in words.strips]
    yield from map(_section, pieces(lines, _TEXT))


def _stories(group: Group, more: str) -> Iterator[Block]:
    yield {"type": "divider"}
    if group.heading:
        yield _section(f"*{mrkdwn(group.heading)}*")
    yield from map(_section, (piece for line in group.lines for piece in pieces(_story(line), _TEXT)))
    if group.left_out:
        yield _context(f"and {group.left_out:,} more" + (f": `{code(more)}`" if more else ""))


def _story(line: Line) -> list[str]:
    facts = [f"{line.outlets} · {line.time} · {line.probability}", line.because]
    return [f"*{link(line.title, line.url)}*", *(mrkdwn(fact) for fact in facts if fact)]


def _table(grid: Grid) -> Iterator[Block]:
    """Yield a table as a block of code with straight columns, or as lines where it is too wide or leads somewhere."""
    yield {"type": "divider"}
    if grid.title:
        yield _section(f"*{mrkdwn(grid.title)}*")
    fence = "```"
    if straight := aligned(grid, _TABLE_WIDTH):
        texts = [f"{fence}\n{piece}\n{fence}" for piece in pieces(map(code, straight), _TEXT - 10)]
    else:
        head = [mrkdwn(grid.head)] if grid.head else []
        texts = list(pieces([*head, *map(_row, grid.rows)], _TEXT))
    yield from map(_section, texts)
    if grid.left_out:
        yield _context(f"and {grid.left_out:,} more")


def _row(row: Iterable[Field]) -> str:
    fields = (link(field.text, field.url) for field in row if field.text)
    return "• " + next(pieces(fields, _TEXT - 2, " · "), "-")


def _actions(words: Content) -> list[Block]:
    """Return buttons that lead to the first stories; none where no story has a safe link."""
    linked = [line for group in words.groups for line in group.lines if line.url][:_BUTTONS]
    return [{"type": "actions", "elements": [_button(line) for line in linked]}] if linked else []


def _button(line: Line) -> Block:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": plain(line.title, _BUTTON), "emoji": False},
        "url": line.url,
    }


def _footer(words: Content) -> Iterator[str]:
    if words.has_rule:
        rule = mrkdwn(f"Rule '{words.rule}' ({words.kind}).")
        yield f"{rule} To change it, edit it under `alerts:` in `feeds.yaml`. {mrkdwn(words.note)}".rstrip()
    elif words.note:
        yield mrkdwn(words.note)
    else:
        yield mrkdwn(f"{words.kind}, {words.severity}")
    for command in words.commands:
        yield f"To {command.purpose}: `{code(command.line)}`"


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_text(text)]}


def _text(text: str) -> dict[str, Any]:
    # Verbatim: Slack links no bare URL and no @name by itself.
    return {"type": "mrkdwn", "text": shortened(text, _TEXT), "verbatim": True}
