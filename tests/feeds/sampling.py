"""The sample documents: each with what is asked of it, and what is expected, in a JSON file beside it."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.errors import ParseError
from monitor.feeds.parse import parse_document
from storage.feed_records import Hints

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_EXPECTED = ("title", "found", "entries", "hints", "error", "trouble")
FOLDER = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Sample:
    """A document, how it came, and what should be made of it.

    ``title``, ``found``, ``entries`` and ``hints`` if it has any; or ``error``, and ``trouble`` unless it is "content".
    """

    name: str
    body: bytes
    headers: dict[str, str]
    url: str
    lang: str | None
    expected: dict[str, Any]

    def outcome(self) -> dict[str, Any]:
        """Parse the document, and write the result as the expectation is written."""
        try:
            document = parse_document(self.body, self.headers, self.url, self.lang, NOW)
        except ParseError as error:
            return {"error": str(error)} | ({"trouble": error.trouble} if error.trouble != "content" else {})
        entries = [{name: value for name, value in asdict(e).items() if value} for e in document.entries]
        for entry in entries:
            if "published" in entry:
                entry["published"] = entry["published"].isoformat()
        hints = {name: value for name, value in _plain(document.hints).items() if value}
        outcome = {"title": document.title, "found": document.found, "entries": entries}
        return outcome | ({"hints": hints} if hints else {})


def _plain(hints: Hints) -> dict[str, Any]:
    ttl = hints.ttl and hints.ttl.total_seconds()
    return asdict(hints) | {"ttl": ttl, "skip_hours": [*hints.skip_hours], "skip_days": [*hints.skip_days]}


def samples() -> list[Sample]:
    """Read all samples."""
    return [_sample(path) for path in sorted(FOLDER.glob("*.json"))]


def _sample(path: Path) -> Sample:
    facts = json.loads(path.read_text(encoding="utf-8"))
    (document,) = (other for other in FOLDER.glob(f"{path.stem}.*") if other != path)
    url = facts.get("url", "https://feed.example/feed.xml")
    expected = {name: facts[name] for name in _EXPECTED if name in facts}
    return Sample(path.stem, document.read_bytes(), facts.get("headers", {}), url, facts.get("lang"), expected)
