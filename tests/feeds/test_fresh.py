"""Which entries are new, and which are old ones in new clothes."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds import fresh as module
from monitor.feeds.fresh import Identified, doubtful, identify, identify_all
from storage.feed_records import Entry


def fresh(entries: Sequence[Entry], known: Sequence[Entry]) -> tuple[Identified, ...]:
    return module.fresh(identify_all(entries), known)


URL = "https://a.example/1"
OTHER = "https://a.example/2"


def an(guid: str | None = None, url: str | None = None, title: str = "Title") -> Entry:
    return Entry(guid, url, title)


SAME = [
    ("nothing changed", an("g", URL), an("g", URL)),
    ("the title was edited", an("g", URL, "Old"), an("g", URL, "New")),
    ("the page moved", an("g", URL), an("g", OTHER)),
    ("the link went away and the title was edited", an("g", URL, "Old"), an("g", None, "New")),
    ("a guid that changes with every poll", an("g1", URL), an("g2", URL)),
    ("a guid was added later", an(None, URL), an("g", URL)),
    ("tracking was added to the link, and no guid", an(None, URL), an(None, URL + "?utm_source=rss")),
    ("no guid, and the title was edited", an(None, URL, "Old"), an(None, URL, "New")),
    ("neither guid nor link", an(title="A  Title"), an(title="a title")),
    ("a guid that counts the updates, and an edited title", an(f"{URL}#0", URL, "Old"), an(f"{URL}#4", URL, "New")),
    ("a guid that carries tracking", an(URL, URL, "Old"), an(f"{URL}?at_medium=RSS", URL, "New")),
    ("full-width letters in the title", an(title="GPT-5"), an(title="ＧＰＴ-5")),  # noqa: RUF001 - the point of it
]

DIFFERENT = [
    ("other guid, link and title", an("g1", URL, "One"), an("g2", OTHER, "Two")),
    ("a reused guid", an("g", URL, "One"), an("g", OTHER, "Two")),
    ("one page, two guids, two titles", an("g1", URL, "One"), an("g2", URL, "Two")),
    ("one title, two pages", an(None, URL), an(None, OTHER)),
    ("one title, two guids, no link", an("g1"), an("g2")),
    ("anchors of one changelog", an(f"{URL}#v1", f"{URL}#v1", "One"), an(f"{URL}#v2", f"{URL}#v2", "Two")),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_an_old_entry_is_recognised(old: Entry, new: Entry) -> None:
    assert set(identify(old).keys) & set(identify(new).keys)
    assert fresh([new], [old]) == ()
    assert fresh([old], [new]) == ()


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in DIFFERENT], ids=[row[0] for row in DIFFERENT])
def test_a_new_entry_is_new(old: Entry, new: Entry) -> None:
    assert [one.entry for one in fresh([new], [old])] == [new]
    assert [one.entry for one in fresh([old, new], [])] == [old, new]
    assert identify(old).identity != identify(new).identity


def test_repetitions_within_a_document_come_once() -> None:
    assert len(fresh([an("g", URL), an("g", URL), an("h", URL)], [])) == 1


def test_a_link_that_all_entries_share_identifies_none_of_them() -> None:
    front = "https://a.example/"
    entries = [an(None, front, title) for title in ("One", "Two", "Three")]
    assert len(fresh(entries, [])) == 3
    assert [one.entry.title for one in fresh([*entries, an(None, front, "Four")], entries)] == ["Four"]


def test_a_guid_that_all_entries_share_identifies_none_of_them() -> None:
    entries = [an("0", None, title) for title in ("One", "Two", "Three")]
    assert len(fresh(entries, [])) == 3
    assert [one.entry.title for one in fresh([an("0", None, "Four")], entries)] == ["Four"]


def test_a_shared_link_is_known_as_such_from_the_stored_entries() -> None:
    front = "https://a.example/"
    known = [an(None, front, "One"), an(None, front, "Two")]
    assert len(fresh([an(None, front, "Three")], known)) == 1


def test_the_keys_are_one_signed_64_bit_number_for_each_facet() -> None:
    keys = identify(an("g", URL)).keys
    assert len(keys) == len(set(keys)) == 3
    assert all(-(2**63) <= key < 2**63 for key in keys)
    assert len(identify(an(title="Title")).keys) == 1


def test_what_is_stored_stays_what_it_was() -> None:
    """The identities and keys are in databases: changing them would make every old entry new."""
    known = identify(an("g", URL))
    assert known.identity == "c19ff3530e2e953af711d34b0c6b38853c40d534434e7c8948b37234d48ad836"
    assert known.keys == (2643321423545646689, -8411587420163201501, 8578887905714336782)


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in SAME[1:]], ids=[row[0] for row in SAME[1:]])
def test_a_part_of_a_document_leaves_open_whether_an_entry_that_resembles_a_known_one_is_new(
    old: Entry, new: Entry
) -> None:
    equal = identify(old).facets == identify(new).facets
    assert doubtful(identify_all([new]), [old]) is not equal


def test_a_part_of_a_document_is_clear_about_what_is_known_exactly_and_what_resembles_nothing() -> None:
    known = [an("g", URL, "One"), an("0", OTHER, "Two")]
    assert not doubtful(identify_all([an("g", URL, "One"), an("new", "https://a.example/3", "Three")]), known)
    assert doubtful(identify_all([an("g", URL, "One, edited")]), known)
    assert not doubtful(identify_all([]), known)


facets = st.sampled_from(["", "g", "0", URL, OTHER, f"{URL}#1", f"{URL}?utm_source=x", "tag:x"])
entries_of_any_kind = st.lists(
    st.builds(
        lambda guid, url, title: Entry(guid or None, url or None, title), facets, facets, st.sampled_from("aAbc")
    ),
    max_size=12,
)


@given(entries_of_any_kind, entries_of_any_kind)
def test_identities_are_unique_and_the_second_poll_brings_nothing(first: list[Entry], second: list[Entry]) -> None:
    stored = [one.entry for one in fresh(first, [])]
    more = [one.entry for one in fresh(second, stored)]
    identities = [identify(entry).identity for entry in stored + more]
    assert len(set(identities)) == len(identities)
    assert fresh(first, stored) == ()
