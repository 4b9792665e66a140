"""Mend what would keep an XML parser from reading a document at all: the charset it claims, characters XML forbids."""

import codecs
import re

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0<", "utf-16-be"),
    (b"<\0", "utf-16-le"),
)
# What documents in these really use is wider, as browsers know (encoding.spec.whatwg.org, 4.2).
_WIDER = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}
_ONE_IN = 20
# Python's own notations, which no document means; some take quadratic time.
_NO_CHARSETS = frozenset({"unicode-escape", "raw-unicode-escape", "punycode", "idna"})
_OPENING = b"<?xml version="
# In UTF-7 and HZ a part of this means something else.
_ASCII = b"<a b='c'> +AD0- ~{ ~~ </a>"
_REFERENCE = re.compile(rb"&#(?:[xX]0*([0-9a-fA-F]{1,7})|0*([0-9]{1,8}));")
_LEGAL = (range(0x09, 0x0B), range(0x0D, 0x0E), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
# All controls but tab and line ends; ESC stays, because ISO-2022 encodings switch with it.
_CONTROLS = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D, 0x1B))


def narrow(body: bytes) -> bytes:
    """Write a document in UTF-16 or UTF-32 in UTF-8 instead; any other comes back as it is."""
    name = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    return body.decode(name, "replace").removeprefix("\ufeff").encode("utf-8", "replace") if name else body


def content_type(body: bytes, header: str) -> str:
    """Return a Content-Type that tells feedparser a narrow document's true charset, as far as it can be known.

    Bytes beyond ASCII that are valid UTF-8 are UTF-8, whatever anybody claims; otherwise the document's own
    declaration counts before the server's, which is often the server's default.
    """
    return f"application/xml; charset={_charset(body, header)}"


def mend(body: bytes) -> bytes:
    """Drop what XML forbids: raw control characters, and references to characters that do not exist (&#xD800;).

    UTF-8 with a few broken characters, such as summaries cut between two bytes, becomes whole UTF-8.
    """
    return _REFERENCE.sub(_only_legal, _whole(body).translate(None, _CONTROLS))


def _whole(body: bytes) -> bytes:
    if _decode(body, "utf-8") is not None:
        return body
    text = body.decode("utf-8", "replace")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text.encode() if text.count("\ufffd") * _ONE_IN < beyond_ascii else body


def _charset(body: bytes, header: str) -> str:
    if not body.isascii() and _decode(body, "utf-8") is not None:
        return "utf-8"
    declared, sent = _DECLARED.search(body[:1000]), _CHARSET.search(header)
    # A declaration that can be read as ASCII cannot mean UTF-16; what only the server says must leave all ASCII alone.
    names = [_known(declared[1].decode(), _OPENING)] if declared else []
    names += [_known(sent[1], _ASCII)] if sent else []
    candidates = (*filter(None, names), "utf-8", "windows-1252")
    return next((name for name in candidates if _decode(body, name) is not None), "iso-8859-1")


def _known(name: str, probe: bytes) -> str | None:
    """Return the name of a charset that Python knows and in which the probe is plain ASCII."""
    if _decode(probe, name) != probe.decode():
        return None
    known = codecs.lookup(name).name
    return None if known in _NO_CHARSETS else _WIDER.get(known, known)


def _decode(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return None


def _only_legal(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    return match[0] if _legal(code) else b""


def _legal(code: int) -> bool:
    """Tell whether XML 1.0 (2.2, production 2) allows a character."""
    return any(code in block for block in _LEGAL)
