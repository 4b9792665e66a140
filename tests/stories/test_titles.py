"""What titles share: a table of pairs of headlines."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from monitor.stories.titles import copied, fingerprint, is_telling, spoken
from storage.records import Item

NOON = datetime(2025, 3, 5, 12, tzinfo=UTC)
TITLE = "Vendor halves the price of its smallest model"
SUMMARY = (
    "The vendor asks four dollars per million tokens from Monday on, and names better use of its cache as the reason."
)


def item(number: int = 1, title: str = TITLE, summary: str = "", *, url: str | None = None) -> Item:
    return Item(number, 1, "Gazette", title, summary, "en", url or f"https://a.test/{number}", NOON, NOON)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (item(1), item(2)),
        (item(1), item(2, TITLE.upper())),
        (item(1), item(2, "Vendor halves the price, of its smallest model!")),
        (item(1), item(2, "  Vendor halves  the price of its smallest\u00a0model ")),
        (item(1), item(2, TITLE + " - The Daily Gazette")),
        (item(1), item(2, TITLE + " | courier online")),
        (item(1), item(2, TITLE + " \u2013 courier.test")),
        (item(1, TITLE + " | Courier"), item(2, TITLE + " \u2014 Gazette")),
        (
            item(1, "Anbieter halbiert Preise f\u00fcr Rechenzeit"),
            item(2, "ANBIETER HALBIERT PREISE FU\u0308R RECHENZEIT"),
        ),
        (
            item(1, "\u516c\u53f8\u53d1\u5e03\u4e86\u65b0\u7684\u82af\u7247"),
            item(2, "\u516c\u53f8\u53d1\u5e03\u4e86\u65b0\u7684\u82af\u7247"),
        ),
        (item(1, "Weekly update", url="https://a.test/x"), item(2, "Weekly update", url="https://a.test/x#top")),
        (item(1, "Weekly update", url="https://a.test/x"), item(2, "Our weekly update", url="https://a.test/x/")),
    ],
    ids=[
        "another feed carries the same title",
        "upper case",
        "other punctuation",
        "other white space",
        "an outlet's name after a hyphen",
        "an outlet's name after a bar",
        "an outlet's domain after a dash",
        "two outlets' names",
        "composed and decomposed umlauts",
        "Chinese needs no spaces between words",
        "a generic title at the same address",
        "two generic titles at the same address",
    ],
)
def test_equal_titles(first: Item, second: Item) -> None:
    assert fingerprint(first) == fingerprint(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (item(1), item(2, TITLE.replace("halves", "doubles"))),
        (item(1, "Vendor cuts price by 20 percent"), item(2, "Vendor cuts price by 30 percent")),
        (item(1, "Weekly update"), item(2, "Weekly update")),
        (item(1, "Weekly update | Gazette"), item(2, "Weekly update | Gazette")),
        (item(1, "8-K - Current report"), item(2, "8-K - Current report")),
        (item(1, "8-K - Current report of a large company"), item(2, "8-K - Current report of a large company")),
        (item(1, "The week in chips - March 3"), item(2, "The week in chips - March 4")),
        (item(1, TITLE + " - and rivals follow"), item(2)),
        (item(1, "2025 2026 2027 2028"), item(2, "2025 2026 2027 2028")),
        (item(1, ""), item(2, "")),
        (replace(item(1, "Weekly update"), url=None), replace(item(2, "Weekly update"), url=None)),
    ],
    ids=[
        "one word differs",
        "one number differs",
        "a generic title at another address",
        "an outlet's name does not make a generic title longer",
        "filings of one form",
        "filings are never told by their title alone",
        "a date at the end is no outlet",
        "a clause at the end is no outlet",
        "numbers alone tell nothing",
        "no title at all",
        "generic titles without an address",
    ],
)
def test_different_titles(first: Item, second: Item) -> None:
    assert fingerprint(first) != fingerprint(second)


@pytest.mark.parametrize(
    ("title", "telling"),
    [("Chip maker raises guidance", True), ("Model gets cheaper", False), ("10-Q - Quarterly report", False)],
    ids=["four words", "three words", "a form"],
)
def test_titles_of_four_words_identify_a_story(title: str, telling: bool) -> None:
    assert is_telling(title) is telling


def test_only_the_last_part_of_a_title_can_be_an_outlet() -> None:
    assert spoken("Vendor beats all estimates - Shares Rise - Gazette") == "Vendor beats all estimates - Shares Rise"


@pytest.mark.parametrize(
    ("later", "copy"),
    [
        (item(2, TITLE + " | Courier"), True),
        (item(2, "Vendor halves the price of its smallest AI model"), True),
        (item(2, "Price cut at a vendor of models", SUMMARY), True),
        (item(2, "Price cut at a vendor of models", " ".join(SUMMARY.split()[:12]) + "…"), True),
        (item(2, "Half off: small model gets cheaper for everyone"), False),
        (item(2, "Price cut at a vendor of models", "Four dollars per million tokens."), False),
        (item(2, "Cheaper", ""), False),
    ],
    ids=[
        "the same title",
        "a word more",
        "the same summary",
        "the summary cut short",
        "other words",
        "a summary too short to tell",
        "a title without a word in common",
    ],
)
def test_copies_take_over_words(later: Item, copy: bool) -> None:
    assert copied(later, item(1, TITLE, SUMMARY)) is copy


def test_two_items_without_words_are_no_copies() -> None:
    assert not copied(item(1, ""), item(2, ""))
