"""Mend what would keep an XML parser from reading a document at all: the charset it claims, characters XML forbids."""

import codecs
import re

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_WIDE = (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF32_LE)
_REFERENCE = re.compile(rb"&#(?:[xX]0*([0-9a-fA-F]{1,7})|0*([0-9]{1,8}));")
_LEGAL = (range(0x09, 0x0B), range(0x0D, 0x0E), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
# All controls but tab and line ends; ESC stays, because ISO-2022 encodings switch with it.
_CONTROLS = bytes(code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D, 0x1B))


def content_type(body: bytes, header: str) -> str:
    """Return a Content-Type that tells feedparser the document's true charset, as far as it can be known.

    Bytes beyond ASCII that are valid UTF-8 are UTF-8, whatever anybody claims; otherwise the document's own
    declaration counts before the server's, which is often the server's default.
    """
    name = None if _is_wide(body) else _charset(body, header)
    return f"application/xml; charset={name}" if name else "application/xml"


def mend(body: bytes) -> bytes:
    """Drop what XML forbids: raw control characters, and references to characters that do not exist (&#xD800;)."""
    if _is_wide(body):
        return body
    return _REFERENCE.sub(_only_legal, body.translate(None, _CONTROLS))


def _is_wide(body: bytes) -> bool:
    """Tell UTF-16 and UTF-32 apart from encodings in which ASCII is ASCII."""
    return body.startswith(_WIDE) or 0 in body[:4]


def _charset(body: bytes, header: str) -> str | None:
    if not body.isascii() and _decodes(body, "utf-8"):
        return "utf-8"
    declared, sent = _DECLARED.search(body[:1000]), _CHARSET.search(header)
    names = [match[1].decode() if isinstance(match[1], bytes) else match[1] for match in (declared, sent) if match]
    return next((name for name in names if _decodes(body, name)), None)


def _decodes(body: bytes, name: str) -> bool:
    try:
        body.decode(name)
    except (UnicodeError, LookupError, ValueError):
        return False
    return True


def _only_legal(match: re.Match[bytes]) -> bytes:
    code = int(match[1], 16) if match[1] else int(match[2])
    return match[0] if _legal(code) else b""


def _legal(code: int) -> bool:
    """Tell whether XML 1.0 (2.2, production 2) allows a character."""
    return any(code in block for block in _LEGAL)
