"""Responses read out of bytes: as h11 reads them, and where servers are sloppier still."""

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.response import HeadReader, Malformed, body_of

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(wire: bytes, step: int = 1 << 20) -> tuple[int, bytes]:
    """Read a response that comes in pieces of ``step`` bytes, and then the end of the connection."""
    pieces = [wire[at : at + step] for at in range(0, len(wire), step)]
    reader, head = HeadReader(), None
    while head is None:
        head = reader.take(pieces.pop(0) if pieces else b"")
    body, found = body_of(head), b""
    if reader.rest and not body.done:
        found = body.take(bytes(reader.rest))
    while not body.done:
        found += body.take(pieces.pop(0) if pieces else b"")
    return head.status, found


def read_by_h11(wire: bytes) -> tuple[int, bytes]:
    """Read the same with h11; RemoteProtocolError where it cannot."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a.example")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(wire)
    connection.receive_data(b"")
    status, body = 0, b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status = event.status_code
        if isinstance(event, h11.Data):
            body += event.data
        if event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            raise h11.RemoteProtocolError("no whole response")
    return status, body


REGULAR = [
    ("a length", OK + b"Content-Length: 5\r\n\r\n<rss>"),
    ("bare line feeds", b"HTTP/1.1 200 OK\nContent-Length: 5\n\n<rss>"),
    ("the same length twice", OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("the same length twice in one header", OK + b"Content-Length: 5, 5\r\n\r\n<rss>"),
    ("a folded header", OK + b"X: a\r\n  b\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("no reason", b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("bytes beyond ASCII", OK + b"X: \xe4\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("continue first", b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\n<rss>"),
    ("hints first", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\n<rss>"),
    ("chunks", CHUNKED + b"2\r\n<r\r\n3\r\nss>\r\n0\r\n\r\n"),
    ("chunks with extensions", CHUNKED + b'5;a="b"\r\n<rss>\r\n0\r\n\r\n'),
    ("chunks with spaces behind their size", CHUNKED + b"5  \r\n<rss>\r\n0\r\n\r\n"),
    ("chunks with trailers", CHUNKED + b"5\r\n<rss>\r\n0\r\nX: y\r\n\r\n"),
    ("chunks beside a length", OK + b"Transfer-Encoding: Chunked\r\nContent-Length: 9\r\n\r\n5\r\n<rss>\r\n0\r\n\r\n"),
    ("until the end of the connection", OK + b"Connection: close\r\n\r\n<rss>"),
    ("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\n<rss>"),
    ("more than announced", OK + b"Content-Length: 5\r\n\r\n<rss>more"),
]  # fmt: skip


@pytest.mark.parametrize("step", [1, 7, 1 << 20], ids=["byte by byte", "in small pieces", "in one piece"])
@pytest.mark.parametrize("wire", [row[1] for row in REGULAR], ids=[row[0] for row in REGULAR])
def test_a_response_is_read_as_h11_reads_it(wire: bytes, step: int) -> None:
    assert read(wire, step) == read_by_h11(wire) == (200, b"<rss>")


SLOPPY = [
    ("a line that is no header", OK + b"Garbage here\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("a space before the colon", OK + b"Content-Length : 5\r\n\r\n<rss>more"),
    ("a header without a name", OK + b": x\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("a NUL in a header", OK + b"X: a\0b\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("chunks with bare line feeds", CHUNKED + b"5\n<rss>\n0\n\n"),
    ("a hang-up behind the last chunk", CHUNKED + b"5\r\n<rss>\r\n0\r\n"),
    ("an identity that is no coding", OK + b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n<rss>"),
    ("an empty length", OK + b"Content-Length: \r\n\r\n<rss>"),
    ("HTTP/2 in name only", b"HTTP/2 200 OK\r\n\r\n<rss>"),
]  # fmt: skip


@pytest.mark.parametrize("step", [1, 1 << 20], ids=["byte by byte", "in one piece"])
@pytest.mark.parametrize("wire", [row[1] for row in SLOPPY], ids=[row[0] for row in SLOPPY])
def test_sloppy_servers_are_read_too(wire: bytes, step: int) -> None:
    assert read(wire, step) == (200, b"<rss>")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_some_statuses_have_no_body_whatever_they_announce(status: bytes) -> None:
    assert read(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\n<rss>")[1] == b""


def test_what_could_break_a_line_becomes_a_space() -> None:
    head = HeadReader().take(OK + b"ETag: a\rX-Evil: \0b\r\n\r\n")
    assert head is not None
    assert head.headers == [(b"etag", b"a X-Evil:  b")]


LINES = st.sampled_from(
    [
        *(b"Content-Length: 5", b"Content-Length: 4", b"Content-Length: +5", b"Content-Length: 5,5", b" folded"),
        *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"X: y", b"X:", b"Connection: close"),
    ]
)
BODIES = st.sampled_from(
    [b"", b"<rss>", b"<rss>more", b"5\r\n<rss>\r\n0\r\n\r\n", b"5\r\n<rss>\r\n0\r\n", b"5\r\n<r", b"x"]
)


@given(
    st.sampled_from([b"200 OK", b"204 x", b"304 x", b"404"]), st.lists(LINES, max_size=4), BODIES, st.integers(1, 50)
)
def test_what_h11_reads_is_read_the_same(status: bytes, lines: list[bytes], body: bytes, step: int) -> None:
    wire = b"\r\n".join([b"HTTP/1.1 " + status, *lines]) + b"\r\n\r\n" + body
    try:
        expected = read_by_h11(wire)
    except h11.RemoteProtocolError:
        return
    assert read(wire, step) == expected


@given(st.binary(), st.sampled_from([b"", b"HTTP/1.1 200", OK, CHUNKED]), st.integers(1, 20))
def test_any_bytes_are_a_response_or_malformed(junk: bytes, begin: bytes, step: int) -> None:
    try:
        status, body = read(begin + junk, step)
    except Malformed:
        return
    assert 100 <= status <= 999
    assert len(body) <= len(junk)
