"""The worker process: reads requests on standard input, answers on standard output, and dies with its parent.

Run as ``python -m monitor.feeds.worker_process``. Hostile input can drive any parser to minutes of processor time or
to gigabytes; here that costs a process that nobody misses. It has no secrets, no database and no business with signals.
"""

import os
import signal
import sys
from datetime import UTC, datetime
from typing import BinaryIO

from monitor.errors import ParseError
from monitor.feeds.document import Request, pack_document, pack_refusal, unpack_request
from monitor.feeds.frames import READY, REFUSED, SUCCEEDED, read_frame, write_frame
from monitor.feeds.parse import parse_document

_MEMORY = 2 << 30
_TOO_LARGE = ParseError("the document needs more memory to read than any feed should", trouble="cost")


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer requests until the other side closes the pipe."""
    write_frame(sink, READY, b"")
    while (message := read_frame(source)) is not None:
        kind, answer = answer_to(unpack_request(message))
        write_frame(sink, kind, answer)


def answer_to(request: Request) -> tuple[bytes, bytes]:
    """Read one document under its limit of processor time: the document, or the reason why not, as JSON."""
    # When the time is up the kernel ends this process at once, whatever C code is running in it.
    signal.setitimer(signal.ITIMER_PROF, request.cpu_seconds)
    try:
        document = parse_document(request.body, request.headers, request.url, request.lang, request.now, request.limit)
        return SUCCEEDED, pack_document(document)
    except ParseError as error:
        return REFUSED, pack_refusal(error)
    except (MemoryError, RecursionError):
        return REFUSED, pack_refusal(_TOO_LARGE)
    except Exception as error:  # noqa: BLE001 - whatever a document does must come back as its reason
        return REFUSED, pack_refusal(ParseError(f"the document cannot be read ({type(error).__name__})"))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _harden() -> None:
    """Leave Ctrl-C and `kill` to the parent, and bound the memory where the system can."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - not on every system

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY if hard < 0 else min(_MEMORY, hard), hard))


def _private_output() -> BinaryIO:
    """Take standard output for ourselves, so that a print anywhere cannot get between the frames."""
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def _preload() -> None:
    """Load the libraries before the first document is timed."""
    parse_document(
        b"<rss version='2.0'><channel><title>x</title></channel></rss>", {}, "", "en", datetime.min.replace(tzinfo=UTC)
    )


def main() -> None:
    """Serve until standard input ends."""
    _harden()
    sink = _private_output()
    _preload()
    try:
        serve(sys.stdin.buffer, sink)
    except BrokenPipeError:
        os._exit(0)  # the parent is gone: there is nobody to tell, and nothing to flush


if __name__ == "__main__":
    main()
