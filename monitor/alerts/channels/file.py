"""The channel `file`: appends alerts to a file, as lines of JSON for programs or as text for people."""

import asyncio
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from monitor.alerts.channels.channel import ChannelSettings, Surroundings
from monitor.alerts.channels.event import data, written
from monitor.alerts.render.identity import mark
from monitor.alerts.render.text import text
from monitor.errors import ChannelError
from storage.alert_records import Delivery, Sent

_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
_RULE = "=" * 76


class FileSettings(ChannelSettings):
    """Append alerts to a file."""

    type: Literal["file"]
    path: Path = Field(description="The file; relative to the folder of feeds.yaml. It is created when missing.")
    format: Literal["jsonl", "text"] = Field(
        "jsonl",
        description="jsonl: a line of JSON for each alert, the data of a webhook and an id. text: as in a mail.",
    )


@dataclass(frozen=True, slots=True)
class FileChannel:
    """Appends a delivery."""

    settings: FileSettings

    async def send(self, delivery: Delivery) -> Sent:
        """Append the alert; return when it is on the disk. Raises ChannelError when the file does not take it."""
        if self.settings.format == "jsonl":
            piece = written({"id": mark(delivery), **data(delivery.alert)}) + b"\n"
        else:
            piece = f"{text(delivery.alert)}\n{_RULE}\n\n".encode("utf-8", "replace")
        try:
            await asyncio.to_thread(_append, self.settings.path, piece)
        except OSError as error:
            raise ChannelError(_reason(error, self.settings.path)) from error
        return Sent()


def _append(path: Path, piece: bytes) -> None:
    """Append in one write, so that whoever reads the file meets no half of it unless the machine stops."""
    file = os.open(path, _FLAGS, 0o644)
    try:
        kept = stat.S_ISREG(os.fstat(file).st_mode)  # else a pipe or a terminal, which has no end to look at
        piece = (_gap(file) if kept else b"") + piece
        if os.write(file, piece) < len(piece):
            raise OSError("the disk is full")
        if kept:
            os.fsync(file)
    finally:
        os.close(file)


def _gap(file: int) -> bytes:
    """Return what ends a line that an earlier attempt left unfinished."""
    size = os.fstat(file).st_size
    return b"\n" if size and os.pread(file, 1, size - 1) != b"\n" else b""


def _reason(error: OSError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"the file {path} cannot be made: there is no folder {path.parent}; create it"
    return f"the file {path} does not take the alert: {error.strerror or error}"


def build(settings: FileSettings, _around: Surroundings) -> FileChannel:
    """Build the channel."""
    return FileChannel(settings)
