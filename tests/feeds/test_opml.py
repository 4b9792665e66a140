"""Lists of feeds from other readers, and ours for them."""

import time
from datetime import UTC, datetime

import pytest

from monitor.feeds.opml import NotOpml, Outline, read_opml, write_opml

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def opml(body: str, head: str = '<?xml version="1.0"?>') -> str:
    return f'{head}\n<opml version="2.0"><head><title>Mine</title></head>\n<body>\n{body}\n</body></opml>'


def feed(url: str, **attributes: str) -> str:
    said = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f'<outline type="rss" xmlUrl="{url}" {said}/>'


READ = {
    "a plain list": (
        feed("https://a.example/feed", text="A") + "\n" + feed("https://b.example/feed", title="B"),
        [("A", "https://a.example/feed", None, 4), ("B", "https://b.example/feed", None, 5)],
    ),
    "groups: the innermost counts": (
        '<outline text="News"><outline text="Press">' + feed("https://a.example/", text="A") + "</outline>"
        + feed("https://b.example/", text="B") + "</outline>" + feed("https://c.example/", text="C"),
        [
            ("A", "https://a.example/", "Press", 4),
            ("B", "https://b.example/", "News", 4),
            ("C", "https://c.example/", None, 4),
        ],
    ),
    "a category": (
        feed("https://a.example/", text="A", category="/tech/chips"),
        [("A", "https://a.example/", "chips", 4)],
    ),
    "escapes": (
        feed("https://a.example/?x=1&amp;y=2", text="R&amp;D &quot;x&quot; &#x4e2d;"),
        [('R&D "x" 中', "https://a.example/?x=1&y=2", None, 4)],
    ),
    "names that hide something": (
        feed("https://a.example/", text="A\u202eb\u200b\n c"),
        [("Ab c", "https://a.example/", None, 4)],
    ),
    "tags that were never opened or closed": (
        "</outline></b>" + feed("https://a.example/", text="A") + '<outline text="G">' + feed("https://b.example/"),
        [("A", "https://a.example/", None, 4), ("", "https://b.example/", "G", 4)],
    ),
    "pages and lists of lists are no feeds": (
        '<outline type="link" url="https://x.example/"/><outline htmlUrl="https://y.example/" text="Y"/>' + feed("https://a.example/"),
        [("", "https://a.example/", None, 4)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), READ.values(), ids=READ)
def test_feeds_are_read(body: str, expected: list[tuple[str, str, str | None, int]]) -> None:
    found = read_opml(opml(body).encode())
    assert [(one.name, one.url, one.kind, one.line) for one in found] == expected


def test_languages_and_pauses_are_read() -> None:
    body = feed("https://a.example/", language="de-AT", isComment="true") + feed(
        "https://b.example/", language="unknown"
    )
    assert [(one.lang, one.paused) for one in read_opml(opml(body).encode())] == [("de", True), (None, False)]


def test_a_repeated_address_is_returned_again_under_its_first_name() -> None:
    body = feed("https://a.example/", text="A") + "\n" + feed("https://a.example/", text="B")
    assert [(one.line, one.name) for one in read_opml(opml(body).encode())] == [(4, "A"), (5, "A")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings_are_heeded(encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' if "-sig" not in encoding else '<?xml version="1.0"?>'
    document = opml(feed("https://a.example/", text="Bücher"), declared).encode(encoding)
    assert read_opml(document)[0].name == "Bücher"


def test_bytes_that_are_not_as_declared_are_read_all_the_same() -> None:
    assert read_opml(opml(feed("https://a.example/", text="Bücher")).encode("latin-1"))[0].name == "Bücher"


REFUSED = {
    "nothing": (b"", "no OPML"),
    "a page": (b"<html><a href='https://a.example/'>x</a></html>", "no OPML"),
    "no feeds": (opml("<outline text='G'/>").encode(), "names no feeds"),
    "far too much": (b" " * 5_000_001, "larger than 5 MB"),
    "groups without end": (opml("<outline text='g'>" * 60 + feed("https://a.example/")).encode(), "line 4: its groups"),
}


@pytest.mark.parametrize(("document", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_list_of_feeds_is_refused(document: bytes, message: str) -> None:
    with pytest.raises(NotOpml, match=message):
        read_opml(document)


BOMBS = {
    "entities that grow": '<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    "an entity from a file": '<!DOCTYPE opml [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
}


@pytest.mark.parametrize("doctype", BOMBS.values(), ids=BOMBS)
def test_entities_are_not_expanded(doctype: str) -> None:
    found = read_opml(opml(feed("https://a.example/", text="x &b; y"), doctype).encode())
    assert [one.name for one in found] == ["x &b; y"]


HEAVY = {
    "categories without end": feed("https://a.example/", category=",".join(map(str, range(200_000)))),
    "one address in ever new groups": "".join(
        f'<outline text="{number}">{feed("https://a.example/")}</outline>' for number in range(5_000)
    ),
}


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_a_heavy_document_costs_little(body: str) -> None:
    began = time.process_time()
    read_opml(opml(body).encode())
    assert time.process_time() - began < 3


def test_what_is_written_is_read_again() -> None:
    ours = [
        Outline("https://a.example/?x=1&y=<2>", 'A "quoted" & <odd> name é 中', "k & l", "en"),
        Outline("https://b.example/", "B", None, None, paused=True),
        Outline("https://c.example/", "C", "k & l", "de"),
    ]
    text = write_opml(ours, "Feeds", NOW)
    found = [(one.url, one.name, one.kind, one.lang, one.paused) for one in read_opml(text.encode())]
    assert sorted(found) == sorted((one.url, one.name, one.kind, one.lang, one.paused) for one in ours)


def test_it_is_written_as_the_specification_says() -> None:
    text = write_opml([Outline("https://a.example/", "A", "press", "en")], "Feeds", NOW)
    assert text == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<opml version="2.0">\n  <head>\n    <title>Feeds</title>\n'
        "    <dateCreated>Mon, 23 Nov 2026 00:00:00 +0000</dateCreated>\n  </head>\n  <body>\n"
        '    <outline text="press" title="press">\n'
        '      <outline text="A" title="A" type="rss" xmlUrl="https://a.example/" language="en" />\n'
        "    </outline>\n  </body>\n</opml>\n"
    )
