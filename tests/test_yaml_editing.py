"""Edits of feeds.yaml: what is asked for happens, and no other byte changes."""

import stat
from pathlib import Path
from typing import Any

import pytest

from monitor.config import load, starter_text
from monitor.errors import ConfigError
from monitor.yaml_editing import FeedsFile

TOPICS = ("efficiency", "capex", "geopolitics")
NEW = {"name": "New", "url": "https://new.example/feed"}
TWO = "feeds:\n  - name: A\n    url: https://a.example/\n  - name: B\n    url: https://b.example/\n"


def written(tmp_path: Path, text: str) -> FeedsFile:
    path = tmp_path / "feeds.yaml"
    path.write_bytes(text.encode())
    return FeedsFile.read(path)


def names(file: FeedsFile) -> list[str]:
    return [feed["name"] for feed in file.feeds]


class TestTheProjectsOwnFile:
    """It has comments of all kinds, sections, quotes and blank lines."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> FeedsFile:
        return written(tmp_path, starter_text())

    def test_adding_and_removing_gives_the_identical_file(self, file: FeedsFile) -> None:
        for new in (NEW, {**NEW, "kind": "policy", "every": "1h"}):
            added = file.with_feeds([new])
            assert added.text != file.text
            assert added.without("New").text == file.text

    def test_pausing_and_resuming_gives_the_identical_file(self, file: FeedsFile) -> None:
        for name in ("OpenAI News", "EE Times", "Hacker News: data centre/GPU/chips"):
            paused = file.switched(name, enabled=False)
            changed = set(paused.text.splitlines()) - set(file.text.splitlines())
            assert changed == {"    enabled: false"}
            assert paused.switched(name, enabled=True).text == file.text

    def test_removing_takes_away_the_lines_of_one_feed(self, file: FeedsFile) -> None:
        lines = (
            "  - name: Interconnects\n    url: https://www.interconnects.ai/feed\n    lang: en\n    kind: research\n"
        )
        assert lines in file.text
        assert file.without("Interconnects").text == file.text.replace(lines, "")

    def test_a_comment_that_speaks_of_one_feed_goes_with_it(self, file: FeedsFile) -> None:
        assert "A very long feed" in file.text
        assert "A very long feed" not in file.without("Hugging Face Blog").text

    def test_a_heading_stays_when_its_first_feed_goes(self, file: FeedsFile) -> None:
        assert "# Laboratories and vendors" in file.without("OpenAI News").text
        assert "  # Research\n" in file.without("arXiv cs.LG").text

    def test_a_new_feed_stands_behind_the_last_of_its_kind(self, file: FeedsFile) -> None:
        order = names(
            file.with_feeds([{**NEW, "kind": "policy"}, {**NEW, "name": "Last", "url": "https://c.example/"}])
        )
        assert order[order.index("New") - 1] == "CSET Georgetown"
        assert order[-1] == "Last"

    def test_the_comments_at_its_end_stay_there(self, file: FeedsFile) -> None:
        end = file.text[file.text.index("  # Google News searches") :]
        assert file.with_feeds([NEW]).text.endswith("url: https://new.example/feed\n\n" + end)

    def test_what_was_added_is_read_as_it_was_meant(self, file: FeedsFile) -> None:
        odd = [
            {"name": name, "url": f"https://example.org/?n={number}&x=%5B#y"}
            for number, name in enumerate(
                ("yes", "null", "a: b", "# x", "1e3", "it's", '"q"', "- a", "漢字 é", "@x", "12:30")
            )
        ]
        config = file.with_feeds(odd).check(TOPICS)
        assert [{"name": feed.name, "url": feed.url} for feed in config.feeds[-len(odd) :]] == odd


SHAPES = {
    "dashes at the margin": "feeds:\n- name: A\n  url: https://a.example/\n- name: B\n  url: https://b.example/\n",
    "a wide indentation": TWO.replace("  - ", "    -   ").replace("    url", "        url"),
    "a dash on a line of its own": TWO.replace("- name: A", "-\n    name: A").replace(
        "- name: B", "- # b\n    name: B"
    ),
    "one line for each": "feeds:\n  - {name: A, url: 'https://a.example/'} # a\n  - {name: B, url: 'https://b.example/'}\n",
    "Windows line ends": TWO.replace("\n", "\r\n") + "log: {}\r\n",
    "no line end at the end": TWO.rstrip(),
    "another block behind": TWO + "\n# logging\nlog:\n  level: debug\n",
    "a remark in the last line of a feed": TWO.replace("b.example/", "b.example/   # slow"),
    "commented keys below a feed": TWO.replace("  - name: B", "    # every: 1h\n  - name: B") + "    # every: 2h\n",
    "a folded address": TWO.replace("url: https://b.example/", "url: >-\n      https://b.example/\n"),
    "quoted keys": TWO.replace("name", '"name"'),
    "an anchor": TWO.replace("feeds:\n", "feeds: &all\n").replace("- name: B", "- &b\n    name: B"),
    "a byte order mark": "\ufeff" + TWO,
}


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
class TestEveryShape:
    def test_adding_and_removing_gives_the_identical_file(self, tmp_path: Path, text: str) -> None:
        file = written(tmp_path, text)
        added = file.with_feeds([NEW])
        assert names(added) == ["A", "B", "New"]
        assert added.without("New").text == text

    def test_pausing_and_resuming_gives_the_same_meaning(self, tmp_path: Path, text: str) -> None:
        paused = written(tmp_path, text).switched("B", enabled=False)
        assert [feed.enabled for feed in paused.check(TOPICS).feeds] == [True, False]
        assert [feed.enabled for feed in paused.switched("B", enabled=True).check(TOPICS).feeds] == [True, True]

    def test_either_feed_can_be_removed(self, tmp_path: Path, text: str) -> None:
        file = written(tmp_path, text)
        for name, other in (("A", "B"), ("B", "A")):
            assert [feed.name for feed in file.without(name).check(TOPICS).feeds] == [other]


EMPTY = {
    "an empty list": "log: {}\nfeeds: []   # none yet\ntimezone: UTC\n",
    "nothing behind the key": "feeds:\n",
    "nothing but remarks": "feeds: # mine\n  # Press\n\nlog: {}\n",
    "a null": "feeds: ~\nlog: {}\n",
    "no such key": "log: {}\n",
}


@pytest.mark.parametrize("text", EMPTY.values(), ids=EMPTY)
def test_the_first_feeds_are_added(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text).with_feeds([NEW, {"name": "Second", "url": "https://second.example/"}])
    assert [feed.name for feed in file.check(TOPICS).feeds] == ["New", "Second"]
    assert set(text.replace("[]", "").replace("~", "").split()) <= set(file.text.split())


REFUSED: dict[str, tuple[str, Any, str]] = {
    "a list in brackets": (
        "log: {}\nfeeds: [{name: A, url: 'https://a.example/'}]\n",
        lambda file: file.with_feeds([NEW]),
        "feeds.yaml:2: feeds: this list is written in brackets",
    ),
    "a feed that another repeats by an alias": (
        "feeds:\n  - &a {name: A, url: 'https://a.example/'}\n  - {<<: *a, name: B, url: 'https://b.example/'}\n",
        lambda file: file.without("A"),
        "only a person can edit",
    ),
    "an anchor that other blocks use": (
        TWO.replace("b.example/", "b.example/\n    kind: &k UTC") + "timezone: *k\n",
        lambda file: file.without("B"),
        "only a person can edit",
    ),
    "the last feed": (
        "feeds:\n  - name: A\n    url: https://a.example/\n",
        lambda file: file.without("A"),
        "'A' is the only feed",
    ),
    "the last feed that is not paused": (
        TWO + "    enabled: false\n",
        lambda file: file.switched("A", enabled=False).check(TOPICS),
        "list at least one feed",
    ),
    "a bad new feed": (
        TWO,
        lambda file: file.with_feeds([{"name": "New", "url": "ftp://new.example/"}]).check(TOPICS),
        "feeds.yaml:7:5: feeds.2.url: write a whole web address",
    ),
}


@pytest.mark.parametrize(("text", "edit", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_refused(tmp_path: Path, text: str, edit: Any, message: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        edit(file)
    assert message in str(refused.value)
    assert file.path.read_bytes().decode() == text
    assert list(tmp_path.iterdir()) == [file.path]


class TestSaving:
    def test_it_keeps_the_mode_and_leaves_nothing_behind(self, tmp_path: Path) -> None:
        file = written(tmp_path, TWO)
        file.path.chmod(0o640)
        file.with_feeds([NEW]).save(TOPICS)
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o640
        assert list(tmp_path.iterdir()) == [file.path]
        assert len(load(file.path, TOPICS).feeds) == 3

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        real, here = tmp_path / "real", tmp_path / "here"
        real.mkdir()
        here.mkdir()
        (real / "shared.yaml").write_text("topics:\n  mine: {examples: mine.csv}\n" + TWO)
        (here / "mine.csv").write_text("")
        (here / "feeds.yaml").symlink_to(Path("..") / "real" / "shared.yaml")
        config = FeedsFile.read(here / "feeds.yaml").with_feeds([NEW]).save(TOPICS)
        assert (here / "feeds.yaml").is_symlink()
        assert "new.example" in (real / "shared.yaml").read_text()
        assert config.database == here / "signals.db"
        assert [path.name for path in real.iterdir()] == ["shared.yaml"]

    def test_what_somebody_else_wrote_meanwhile_is_not_lost(self, tmp_path: Path) -> None:
        file = written(tmp_path, TWO)
        file.path.write_text(TWO + "log: {}\n")
        with pytest.raises(ConfigError, match="changed by somebody else"):
            file.with_feeds([NEW]).save(TOPICS)
        assert file.path.read_text() == TWO + "log: {}\n"

    def test_a_bad_edit_never_lands(self, tmp_path: Path) -> None:
        file = written(tmp_path, TWO)
        with pytest.raises(ConfigError, match="the same url"):
            file.with_feeds([{"name": "New", "url": "https://a.example/"}]).save(TOPICS)
        assert file.path.read_text() == TWO
