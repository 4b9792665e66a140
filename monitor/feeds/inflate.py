"""Undo gzip and deflate under a cap: 3 kB on the wire must not become 3 GB in memory. Pure."""

import zlib
from typing import TYPE_CHECKING

from monitor.errors import FetchError

if TYPE_CHECKING:
    from zlib import _Decompress

_GZIP = b"\x1f\x8b"
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 31, 15, -15
_MOST_MEMBERS = 1_000
_ACCEPTED = ("", "identity", "none", "gzip", "x-gzip", "deflate")


class Inflater:
    """Collects a body chunk by chunk, inflating as it goes; raises FetchError beyond ``max_bytes`` either way.

    What counts is what the body is, not what its header says: plain text announced as gzip is read, and so is
    gzip announced as nothing.
    """

    def __init__(self, encoding: str, max_bytes: int) -> None:
        self.received = 0
        self._max = max_bytes
        self._encoding = encoding.strip().lower()
        self._chunks: list[bytes] = []
        self._size = 0
        self._head = b""
        self._decoder: _Decompress | None = None
        self._started = False
        self._members = 0
        if self._encoding not in _ACCEPTED:
            what = f"came in the encoding {self._encoding[:40]!r}, which was not asked for"
            raise FetchError(what, trouble="damaged")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire."""
        self.received += len(chunk)
        if self.received > self._max:
            raise self._too_large("the document is larger than")
        if not self._started:
            self._head += chunk
            if len(self._head) < len(_GZIP):
                return
            chunk = self._start()
        self._take(chunk)

    def finish(self) -> bytes:
        """Return the whole body; FetchError when the compressed stream stops half-way."""
        if not self._started:
            self._take(self._start())
        if self._decoder is not None and not self._decoder.eof:
            raise FetchError("the compressed body is cut short", trouble="damaged")
        body = b"".join(self._chunks)
        if self._decoder is not None and body.startswith(_GZIP):
            raise FetchError("the body is compressed twice", trouble="damaged")
        return body

    def _start(self) -> bytes:
        head, self._head, self._started = self._head, b"", True
        if head.startswith(_GZIP):
            self._decoder = zlib.decompressobj(_GZIP_BITS)
        elif self._encoding == "deflate" and head and not head.lstrip().startswith((b"<", b"{")):
            # RFC 9110 means a zlib stream by "deflate"; some servers send the bare stream.
            self._decoder = zlib.decompressobj(_ZLIB_BITS if _has_zlib_header(head) else _RAW_BITS)
        return head

    def _take(self, data: bytes) -> None:
        while data and self._decoder is not None:
            data = self._inflate(self._decoder, data)
        self._keep(data)

    def _inflate(self, decoder: "_Decompress", data: bytes) -> bytes:
        """Inflate a piece and return what is left of the input: more of this stream, or the next gzip member."""
        if decoder.eof:
            return self._next_member(data)
        try:
            self._keep(decoder.decompress(data, self._max - self._size + 1))
        except zlib.error:
            raise FetchError("the compressed body is damaged", trouble="damaged") from None
        return decoder.unconsumed_tail or decoder.unused_data

    def _next_member(self, data: bytes) -> bytes:
        if not _GZIP.startswith(data[:2]):
            return b""  # padding behind the last member
        self._members += 1
        if self._members > _MOST_MEMBERS:  # each costs its time, even when it holds nothing
            raise FetchError(f"the body is compressed in more than {_MOST_MEMBERS:,} pieces", trouble="damaged")
        self._decoder = zlib.decompressobj(_GZIP_BITS)
        return data

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._max:
            raise self._too_large("unpacked, the document is larger than")
        self._chunks.append(data)

    def _too_large(self, what: str) -> FetchError:
        return FetchError(f"{what} {self._max:,} bytes (fetch.max_bytes)", trouble="size")


def _has_zlib_header(head: bytes) -> bool:
    """Recognise the two bytes of RFC 1950: method 8 (deflate), and a check sum that makes them a multiple of 31."""
    return head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head[:2], "big") % 31 == 0
