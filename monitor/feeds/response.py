"""Read an HTTP/1 response (RFC 9112) out of the bytes of a connection, as leniently as browsers do. Pure.

Our own reading, because a library's costs more than all the rest of a poll that brings nothing new. One response is
read from a connection and nothing behind it, so being lenient cannot take a part of one response for another; what
is bounded is what a server can make us hold: the head, its lines, and what surrounds the chunks of a body.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from monitor.errors import FetchError

MOST_HEAD = 100_000
MOST_LINES = 1_000
MOST_FRAMING = 64_000
_LONGEST_LINE = 4_096
_PROTOCOL = b"HTTP/"
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?:[ \t]|$)")
_LENGTH = re.compile(rb"\d{1,18}")
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,15}")
# RFC 9110, 5.5: where these are found in a field they become spaces.
_SPACED = bytes.maketrans(b"\r\0", b"  ")
_SWITCHING, _FINAL, _NO_CONTENT, _NOT_MODIFIED = 101, 200, 204, 304

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case, values byte for byte but for folding; in the order in which they came."""


class Malformed(FetchError):
    """A server broke the rules of HTTP in a way that cannot be read around."""

    def __init__(self, message: str) -> None:
        super().__init__(message, trouble="damaged")


@dataclass(frozen=True, slots=True)
class Head:
    """The status and the headers of a response."""

    status: int
    headers: Headers

    def values(self, name: bytes) -> list[bytes]:
        """Return what the headers of this name list, taken apart at the commas."""
        return [part.strip() for key, value in self.headers if key == name for part in value.split(b",")]


class HeadReader:
    """Collects the head of a response; ``rest`` holds what came behind it."""

    def __init__(self) -> None:
        self.rest = bytearray()
        self._searched = 0
        self._taken = 0

    def take(self, data: bytes) -> Head | None:
        """Take the next bytes (none: the server hung up), and return the head once it is complete."""
        if not data:
            raise Malformed("it hung up in the middle of the headers" if self.rest else "it hung up without an answer")
        self.rest += data
        self._taken += len(data)
        while (end := self._end()) is not None:
            head = read_head(bytes(self.rest[: end.start()]))
            del self.rest[: end.end()]
            # 1xx comes before the answer proper: "100 Continue", "103 Early Hints".
            if head.status >= _FINAL or head.status == _SWITCHING:
                return head
        if self._taken > MOST_HEAD:
            raise Malformed(f"its headers are longer than {MOST_HEAD:,} bytes")
        return None

    def _end(self) -> re.Match[bytes] | None:
        if not _PROTOCOL.startswith(self.rest[: len(_PROTOCOL)]):
            raise Malformed("what it says is no HTTP")
        end = _END.search(self.rest, self._searched)
        self._searched = 0 if end else max(0, len(self.rest) - 3)
        return end


def read_head(block: bytes) -> Head:
    """Read a head without its last line ending; lines that mean nothing are passed over, folded ones joined."""
    first, *lines = block.replace(b"\r\n", b"\n").translate(_SPACED).split(b"\n")
    status = _STATUS.match(first)
    if status is None:
        raise Malformed("what it says is no HTTP")
    if len(lines) > MOST_LINES:
        raise Malformed(f"it sends more than {MOST_LINES:,} headers")
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if line[:1] in b" \t" and headers:
            name, before = headers.pop()
            headers.append((name, before + b" " + line.strip()))
        elif colon:
            headers.append((name.strip().lower(), value.strip()))
    return Head(int(status[1]), headers)


class Body(Protocol):
    """Finds a response's body in what follows its head. ``done`` once it is complete."""

    done: bool

    def take(self, data: bytes) -> bytes:
        """Take the next bytes (none: the server hung up), and return those that belong to the document."""


def body_of(head: Head) -> Body:
    """Say how the body behind this head is framed (RFC 9112, 6.3)."""
    if head.status < _FINAL or head.status in (_NO_CONTENT, _NOT_MODIFIED):
        return Sized(0)
    codings = [coding.lower() for coding in head.values(b"transfer-encoding") if coding.lower() != b"identity"]
    if codings == [b"chunked"]:
        return Chunked()
    if codings:
        raise Malformed("its body is transferred in a way that was not asked for")
    lengths = set(head.values(b"content-length")) - {b""}
    if not lengths:
        return Unsized()
    if len(lengths) > 1:
        raise Malformed("it announces two different lengths")
    length = lengths.pop()
    if not _LENGTH.fullmatch(length):
        raise Malformed("it announces a length that is no number")
    return Sized(int(length))


class Sized:
    """A body of as many bytes as announced."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def take(self, data: bytes) -> bytes:
        """Take the next bytes; Malformed when the connection ends too early."""
        if not data:
            raise Malformed(f"it hung up {self._left:,} bytes before the end that it had announced")
        piece = data[: self._left]
        self._left -= len(piece)
        self.done = self._left == 0
        return piece


class Unsized:
    """A body that ends with the connection."""

    done = False

    def take(self, data: bytes) -> bytes:
        """Take the next bytes."""
        self.done = not data
        return data


class Chunked:
    """A body in chunks, each under a line with its length (RFC 9112, 7.1); extensions and trailers are dropped."""

    def __init__(self) -> None:
        self.done = False
        self._left = 0
        self._line = b""
        self._read_line = self._size
        self._spare = MOST_FRAMING

    def take(self, data: bytes) -> bytes:
        """Take the next bytes; Malformed when the connection ends too early, or when the frame is no frame."""
        if not data:
            return self._hung_up()
        pieces, at, data = list[bytes](), 0, self._line + data
        while at < len(data) and not self.done:
            if self._left:
                piece = data[at : at + self._left]
                at, self._left = at + len(piece), self._left - len(piece)
                pieces.append(piece)
            else:
                at = self._next_line(data, at)
        body = b"".join(pieces)
        self._spare += len(body)
        return body

    def _next_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        self._line = b"" if end >= 0 else data[at:]
        if len(self._line) > _LONGEST_LINE:
            raise Malformed("it sends a chunk without a length")
        if end < 0:
            return len(data)
        # What frames the content must not outgrow it: a byte a chunk would keep us busy for nothing.
        self._spare -= end - at
        if self._spare < 0:
            raise Malformed("it sends more around the chunks of its body than in them")
        self._read_line(data[at:end].strip())
        return end + 1

    def _size(self, line: bytes) -> None:
        size = line.partition(b";")[0].strip()
        if not _CHUNK.fullmatch(size):
            raise Malformed("it sends a chunk without a length")
        self._left = int(size, 16)
        self._read_line = self._gap if self._left else self._trailer

    def _gap(self, line: bytes) -> None:
        if line:
            raise Malformed("it sends a chunk that is longer than announced")
        self._read_line = self._size

    def _trailer(self, line: bytes) -> None:
        self.done = not line

    def _hung_up(self) -> bytes:
        if self._read_line != self._trailer:
            raise Malformed("it hung up in the middle of the body")
        self.done = True
        return b""
