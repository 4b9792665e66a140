"""Which entries of a document its last poll did not have, found without parsing it. Pure.

A document is cut into head, blocks (one for each entry) and tail. The head, the blocks whose hashes are unknown, and
the tail make a smaller document, whose entries are read as in the whole. This holds while every entry can be read by
itself; where that is not certain, nothing is cut and the whole document is read. Only bytes.find and anchored patterns
look at the document, so hostile input costs milliseconds.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

HASH_BYTES = 8
# Larger than any real feed's; beyond them a document is hostile, or not worth the trouble.
_MOST_BLOCKS = 10_000
_MOST_HIDDEN = 40_000
_LONGEST_HEAD = _LONGEST_TAIL = 200_000

_ROOT = re.compile(rb"<(?:rss|feed|rdf:RDF)[\s>]")
_FIRST = re.compile(rb"<(item|entry)(?=[\s>])")
_NEXT = {name: re.compile(rb"\s*<" + name + rb"(?=[\s>])") for name in (b"item", b"entry")}
# Another entry where none should be: in any case, with any prefix, opening or closing.
_STRAY = re.compile(rb"</?(?:[\w.-]+:)?(?:item|entry)[\s/>]", re.IGNORECASE)
_NESTED = (b"<item", b"<entry", b":item>", b":entry>")
_ENCODING = re.compile(rb"encoding\s*=\s*[\"']([^\"'<>]*)[\"']")
# In these, the bytes of `<`, `>` and letters are always `<`, `>` and letters.
_PLAIN = re.compile(rb"utf-?8|us-ascii|ascii|latin-?1|iso-8859-\d{1,2}|windows-125\d", re.IGNORECASE)
# Dropped before a document is parsed (see monitor.feeds.mend), which could join what they stand between to a tag.
_CONTROLS = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D))
_BASE = b"base="


@dataclass(frozen=True, slots=True)
class Sliced:
    """A document taken apart: ``head``, ``blocks`` and ``tail`` in order, without the white space between blocks.

    ``digests`` are the blocks' hashes in their order, 8 bytes each (BLAKE2b, RFC 7693).
    """

    head: bytes
    blocks: tuple[bytes, ...]
    tail: bytes
    digests: tuple[bytes, ...]

    @property
    def count(self) -> int:
        """How many entries the document has."""
        return len(self.blocks)

    @property
    def hashes(self) -> bytes:
        """The digests as one: what is stored, and known the next time."""
        return b"".join(self.digests)

    def unseen(self, known: bytes) -> bytes | None:
        """Return the document without the blocks whose hashes are among ``known``; None when no block is left."""
        seen = {known[at : at + HASH_BYTES] for at in range(0, len(known), HASH_BYTES)}
        blocks = [block for block, digest in zip(self.blocks, self.digests, strict=True) if digest not in seen]
        return b"".join((self.head, *blocks, self.tail)) if blocks else None


def take_apart(body: bytes) -> Sliced | None:
    """Cut an RSS, Atom or RDF document into its entries; None when anything about it is odd."""
    first = _FIRST.search(body, 0, _LONGEST_HEAD)
    if first is None or not _is_plain(body):
        return None
    head = body[: first.start()]
    spans = _spans(body, first[1], first.start())
    if spans is None or not _is_head(head):
        return None
    tail = body[spans[-1][1] :]
    if len(tail) > _LONGEST_TAIL or not _is_clear(tail) or _leaks(head, body):
        return None
    blocks = tuple(body[start:end] for start, end in spans)
    return Sliced(head, blocks, tail, tuple(map(_hash, blocks)))


def _leaks(head: bytes, body: bytes) -> bool:
    """Tell whether feedparser would keep an entry's base for those behind it: it does where none is declared above."""
    return _BASE in body and _BASE not in head


def _is_plain(body: bytes) -> bool:
    """Tell whether every part of the document means the same bytes by themselves as within the whole."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return len(body.translate(None, _CONTROLS)) == len(body)


def _is_head(head: bytes) -> bool:
    declared = _ENCODING.search(head[:200])
    plain = declared is None or _PLAIN.fullmatch(declared[1])
    return bool(plain and _ROOT.search(head)) and _is_clear(head)


def _is_clear(part: bytes) -> bool:
    """Tell whether a head or tail is by itself: no entry in it, no comment or CDATA that reaches out of it."""
    return not _STRAY.search(part) and _hidden(part, 0, len(part), _MOST_HIDDEN) is not None


def _spans(body: bytes, name: bytes, start: int) -> list[tuple[int, int]] | None:
    """Find where each entry begins and ends; None when one holds another, or ends within a comment or CDATA."""
    opening, closing, following = b"<" + name, b"</" + name + b">", _NEXT[name]
    spans: list[tuple[int, int]] = []
    first, hidden = start, 0
    while True:
        end = body.find(closing, start) + len(closing)
        if end < len(closing) or len(spans) >= _MOST_BLOCKS:
            return None
        more = _hidden(body, start, end, _MOST_HIDDEN - hidden)
        if more is None:
            return None
        hidden += more
        spans.append((start, end))
        match = following.match(body, end)
        if match is None:
            return spans if _are_alone(body, opening, first, end, len(spans)) else None
        start = match.end() - len(opening)


def _are_alone(body: bytes, opening: bytes, first: int, end: int, count: int) -> bool:
    """Tell whether no entry holds another, of the same name, of the other, or with a prefix."""
    if any(body.find(nested, first, end) >= 0 for nested in _NESTED if nested != opening):
        return False
    return body.count(opening, first, end) == count


def _hidden(body: bytes, start: int, end: int, most: int) -> int | None:
    """Count the comments and CDATA sections of a part; None when one is not closed, or another declaration is there."""
    count, at = 0, body.find(b"<!", start, end)
    while at >= 0:
        if body.startswith(b"<![CDATA[", at):
            stop = body.find(b"]]>", at, end)
        elif body.startswith(b"<!--", at):
            stop = body.find(b"-->", at + len(b"<!--"), end)
        else:
            return None
        if stop < 0 or count >= most:
            return None
        count, at = count + 1, body.find(b"<!", stop, end)
    return count


def _hash(block: bytes) -> bytes:
    return blake2b(block, digest_size=HASH_BYTES).digest()
