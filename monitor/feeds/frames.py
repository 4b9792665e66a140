"""Messages on the pipe between the daemon and its worker.

A kind (one byte), a length (four bytes, big-endian), and a body of that length.
"""

import struct
from typing import BinaryIO

READY = b"+"
REQUEST = b"?"
SUCCEEDED = b"="
REFUSED = b"!"

HEAD = struct.Struct(">cI")


def frame(kind: bytes, body: bytes) -> bytes:
    """Write a message."""
    return HEAD.pack(kind, len(body)) + body


def write_frame(sink: BinaryIO, kind: bytes, body: bytes) -> None:
    """Send a message at once."""
    sink.write(frame(kind, body))
    sink.flush()


def read_frame(source: BinaryIO) -> bytes | None:
    """Wait for a message and return its body; None when the pipe was closed, even in the middle of a message."""
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    _, size = HEAD.unpack(head)
    body = source.read(size)
    return body if len(body) == size else None
