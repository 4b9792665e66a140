"""Add, remove and switch feeds in feeds.yaml without touching a byte of anything else.

Comments, order, quotes, blank lines and line ends survive because the text itself is edited: ruamel only says where an
entry stands. Every edit is read again before it counts, and must mean exactly what was asked for.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any, Self

from monitor.config import Config, load
from monitor.errors import ConfigError
from monitor.yaml_file import YamlFile
from monitor.yaml_outline import Node, outline

Entry = Mapping[str, Any]
"""The keys and values of one feed, in the order in which they are written."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_DASH = re.compile(r"(?:^|(?<=\r))[ \t]*-(?=\s)", re.MULTILINE)
_COLUMN = 2
"""Where the dash of the very first feed stands."""


@dataclass(frozen=True, slots=True)
class FeedsFile:
    """A feeds.yaml: ``text`` with the edits made so far, ``original`` as it was read, and ``feeds`` as they would be.

    ``rest`` is everything that is not a feed; no edit may change it.
    """

    path: Path
    text: str
    original: str
    feeds: tuple[Entry, ...]
    rest: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file. Raises ConfigError when it is missing or no YAML; what it says is checked by ``check``."""
        data = YamlFile.read(path).data
        with _explained(path):
            text = path.read_bytes().decode("utf-8")
        feeds = data.get("feeds") or []
        if not isinstance(feeds, list) or not all(isinstance(feed, dict) for feed in feeds):
            raise ConfigError(f"{path}: feeds: expected a list of feeds, each with a name and a url")
        return cls(path, text, text, tuple(feeds), _rest(data))

    def with_feeds(self, entries: Sequence[Entry]) -> Self:
        """Add feeds, each behind the last one of its kind, else at the end of the list. Raises ConfigError."""
        root, listed = self._outlined()
        places = [self._place_for(entry) for entry in entries]
        text = self.text
        if not self.feeds:
            text = _begin_list(text, root, entries)
        for place in sorted(set(places), reverse=True) if self.feeds else ():
            text = _insert_entries(text, listed, place, _at(place, entries, places))
        feeds = [one for place, feed in enumerate(self.feeds) for one in (feed, *_at(place, entries, places))]
        return self._edited(text, feeds or list(entries))

    def without(self, name: str) -> Self:
        """Remove the feed of that name, and a comment between it and the feed above it. Raises ConfigError."""
        if len(self.feeds) == 1:
            raise ConfigError(f"{self.path}: {name!r} is the only feed, and there must be one; add another first")
        _, listed = self._outlined()
        place = self._place(name)
        text = _cut_entry(self.text, listed, place)
        return self._edited(text, [*self.feeds[:place], *self.feeds[place + 1 :]])

    def switched(self, name: str, *, enabled: bool) -> Self:
        """Pause or resume the feed of that name. Raises ConfigError."""
        _, listed = self._outlined()
        place = self._place(name)
        text = _switch(self.text, listed[place], enabled=enabled)
        changed = {**self.feeds[place], "enabled": enabled}
        return self._edited(text, [*self.feeds[:place], changed, *self.feeds[place + 1 :]])

    def check(self, known_topics: tuple[str, ...]) -> Config:
        """Return the configuration as edited. Raises ConfigError with its mistakes, and where they stand."""
        with _explained(self.path), _draft(self.path.absolute(), self.text) as draft:
            try:
                return load(draft, known_topics)
            except ConfigError as error:
                raise ConfigError(*(line.replace(str(draft), str(self.path)) for line in error.problems)) from None

    def save(self, known_topics: tuple[str, ...]) -> Config:
        """Check the edited text, and let it take the file's place at once and whole. Raises ConfigError."""
        config = self.check(known_topics)
        with _explained(self.path):
            if self.path.read_bytes() != self.original.encode():
                raise ConfigError(f"{self.path} was changed by somebody else meanwhile; it is left alone: try again")
            _put(self.path.resolve(), self.text)
        return config

    def _outlined(self) -> tuple[Node, tuple[Node, ...]]:
        """Return where everything stands, and where each feed does."""
        root = outline(self.text)
        pair = root.get("feeds")
        if pair and pair[1].flow and pair[1].children:
            line = self.text.count("\n", 0, pair[1].start) + 1
            raise ConfigError(
                f"{self.path}:{line}: feeds: this list is written in brackets; write each feed on lines of its own, "
                "with a dash before it, and try again"
            )
        return root, pair[1].children if pair else ()

    def _place(self, name: str) -> int:
        return next(place for place, feed in enumerate(self.feeds) if feed.get("name") == name)

    def _place_for(self, entry: Entry) -> int:
        """Return the place of the feed behind which this one goes."""
        kind = entry.get("kind")
        of_kind = [place for place, feed in enumerate(self.feeds) if kind and feed.get("kind") == kind]
        return of_kind[-1] if of_kind else len(self.feeds) - 1

    def _edited(self, text: str, feeds: Sequence[Entry]) -> Self:
        """Return the file with this text, once it was seen to mean just these feeds, and all else as before."""
        data = _parsed(text)
        if data is None or list(map(_plain, data.get("feeds") or [])) != list(map(_plain, feeds)):
            raise ConfigError(f"{self.path}: `feeds:` is written in a way that only a person can edit; do it by hand")
        if _rest(data) != self.rest:
            raise ConfigError(f"{self.path}: other parts of the file depend on this entry; edit it by hand")
        return replace(self, text=text, feeds=tuple(feeds))


def _at(place: int, entries: Sequence[Entry], places: Sequence[int]) -> list[Entry]:
    return [entry for entry, chosen in zip(entries, places, strict=True) if chosen == place]


def _rest(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != "feeds"}


def _plain(feed: Entry) -> dict[str, Any]:
    return {key: value for key, value in feed.items() if (key, value) != ("enabled", True)}


def _parsed(text: str) -> Mapping[str, Any] | None:
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and `monitor --help` needs no YAML
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    try:
        data = YAML(typ="rt").load(text)
    except YAMLError:
        return None
    return data if isinstance(data, dict) else None


# Text


def _line_end(text: str, place: int) -> int:
    """Return where the line of a place ends, before its line break."""
    found = _LINE_END.search(text, place)
    return found.start() if found else len(text)


def _break(text: str) -> str:
    """Return the line break that the text uses."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def _insert(text: str, behind: int, lines: Sequence[str]) -> str:
    """Insert lines behind the line of a place."""
    end = _line_end(text, behind)
    return text[:end] + "".join(_break(text) + line for line in lines) + text[end:]


def _dash(text: str, listed: Sequence[Node], place: int) -> re.Match[str]:
    """Find the dash of a feed, with the space before it on its line."""
    behind = listed[place - 1].end if place else 0
    *_, last = _DASH.finditer(text, behind, listed[place].start)
    return last


def _own_end(text: str, node: Node, column: int) -> int:
    """Return where a feed ends with the comments below it that are indented like its keys."""
    comments = re.compile(rf"(?:(?:\r\n|\n|\r)[ \t]{{{column + 1},}}#[^\r\n]*)*")
    end = _line_end(text, node.end)
    found = comments.match(text, end)
    return found.end() if found else end


def _insert_entries(text: str, listed: Sequence[Node], place: int, entries: Sequence[Entry]) -> str:
    """Write feeds behind the one at a place."""
    column = len(_dash(text, listed, place)[0]) - 1
    return _insert(text, _own_end(text, listed[place], column), _lines(entries, column))


def _begin_list(text: str, root: Node, entries: Sequence[Entry]) -> str:
    """Write the first feeds of a file: its list is empty, or missing."""
    pair = root.get("feeds")
    if pair is None:
        text = text.rstrip("\r\n") + _break(text)
        return _insert(text.rstrip("\r\n"), len(text), ["feeds:", *_lines(entries, _COLUMN)]) + _break(text)
    key, value = pair
    if value.start < value.end:
        text = text[: value.start].rstrip(" ") + text[value.end :]
    return _insert(text, key.end, _lines(entries, _COLUMN))


def _lines(entries: Sequence[Entry], column: int) -> list[str]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - slow to import, and `monitor --help` needs no YAML

    yaml = YAML()
    yaml.width = 1_000_000
    lines = []
    for entry in entries:
        written = StringIO()
        yaml.dump(dict(entry), written)
        lines += [
            " " * column + ("  " if number else "- ") + line
            for number, line in enumerate(written.getvalue().splitlines())
        ]
    return lines


def _cut_entry(text: str, listed: Sequence[Node], place: int) -> str:
    dash = _dash(text, listed, place)
    column = len(dash[0]) - 1
    begin = dash.start()
    if place:
        above = _own_end(text, listed[place - 1], column)
        comments = _LINE_END.split(text[above:begin])[1:-1]
        if all(line.lstrip().startswith("#") for line in comments):  # no blank line: they speak of this feed alone
            return text[:above] + text[_own_end(text, listed[place], column) :]
    begin -= 2 if text[begin - 2 : begin] == "\r\n" else 1
    return text[:begin] + text[_own_end(text, listed[place], column) :]


def _switch(text: str, node: Node, *, enabled: bool) -> str:
    pair = node.get("enabled")
    if pair is None:
        return text if enabled else _append(text, node, "enabled: false")
    key, value = pair
    begin, end = text.rfind("\n", 0, key.start) + 1, _line_end(text, value.end)
    alone = not text[begin : key.start].strip() and not text[value.end : end].strip()
    if enabled and alone:  # as it was before it was paused
        begin -= 2 if text[begin - 2 : begin] == "\r\n" else 1
        return text[:begin] + text[end:]
    return text[: value.start] + ("true" if enabled else "false") + text[value.end :]


def _append(text: str, node: Node, line: str) -> str:
    """Write one more key into a feed."""
    if node.flow:
        return text[: node.end - 1].rstrip() + f", {line}" + text[node.end - 1 :]
    return _insert(text, node.end, [" " * node.children[0].column + line])


# Files


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be edited: {error}") from None


@contextmanager
def _draft(path: Path, text: str) -> Iterator[Path]:
    """Keep the text in a file beside the other while it is looked at, because relative paths in it start there."""
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text.encode())
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _put(path: Path, text: str) -> None:
    """Replace a file at once and whole, even if the power fails; it keeps its mode and its owner."""
    with _draft(path, text) as draft:
        shutil.copymode(path, draft)
        with suppress(OSError):  # only root may give files away, and then it should
            os.chown(draft, path.stat().st_uid, path.stat().st_gid)
        _sync(draft)
        draft.replace(path)
        _sync(path.parent)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
