"""The worker process: reads, is killed, is replaced, leaves."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from monitor.errors import ParseError
from monitor.feeds import frames, worker_process
from monitor.feeds.document import Request, pack_request, unpack_document, unpack_refusal
from monitor.feeds.parse import parse_document
from monitor.feeds.worker import ParseWorker
from storage.feed_records import Feed, Fetched
from tests.feeds.sampling import NOW, Sample, samples

SAMPLES = samples()
FEED = Feed(1, "Feed", "https://a.example/feed", None, None, timedelta(minutes=30), NOW)
SMALL = b"<rss version='2.0'><channel><language>en</language><item><title>One</title></item></channel></rss>"
# In a document that is not well-formed, feedparser looks for an e-mail address in every author, with a regular
# expression that backtracks.
BOMB = SMALL.replace(b"</item></channel></rss>", b"<author>" + b"a" * 400_000 + b"</author></item>")


def fetched(body: bytes) -> Fetched:
    return Fetched(NOW, 0.1, 200, body=body, url=FEED.url)


@asynccontextmanager
async def working(cpu_seconds: float = 10, patience: float = 2, idle: float = 60) -> AsyncIterator[ParseWorker]:
    worker = ParseWorker(timedelta(seconds=cpu_seconds), patience, idle)
    try:
        yield worker
    finally:
        await worker.aclose()


def pid(worker: ParseWorker) -> int:
    assert worker._first.pid is not None
    return worker._first.pid


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - a process leaves without an event
            await asyncio.sleep(0.02)


def exists(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


async def outcome(worker: ParseWorker, sample: Sample) -> object:
    got = Fetched(NOW, 0.1, 200, body=sample.body, headers=sample.headers, url=sample.url)
    try:
        return await worker.read(got, FEED, NOW)
    except ParseError as error:
        return str(error)


def direct(sample: Sample) -> object:
    try:
        return parse_document(sample.body, sample.headers, sample.url, None, NOW)
    except ParseError as error:
        return str(error)


async def test_the_worker_reads_every_sample_as_the_parser_does_and_stays_the_same_process() -> None:
    async with working() as worker:
        found = await asyncio.gather(*(outcome(worker, sample) for sample in SAMPLES))
        first = pid(worker)
        assert found == [direct(sample) for sample in SAMPLES]
        await worker.read(fetched(SMALL), FEED, NOW)
        assert pid(worker) == first


async def test_nothing_is_started_before_the_first_document() -> None:
    async with working() as worker:
        assert worker._first.pid is None


async def test_a_document_that_costs_too_much_is_given_up_and_the_next_one_is_read() -> None:
    async with working(cpu_seconds=0.3) as worker:
        with pytest.raises(ParseError, match=r"took longer than 0\.3 s to read") as refused:
            await worker.read(fetched(BOMB), FEED, NOW)
        assert refused.value.trouble == "cost"
        assert [entry.title for entry in (await worker.read(fetched(SMALL), FEED, NOW)).entries] == ["One"]


async def test_a_slow_document_keeps_only_its_own_feed_waiting_and_the_second_process_leaves_when_idle() -> None:
    async with working(cpu_seconds=2, patience=0.2, idle=0.3) as worker:
        await worker.read(fetched(SMALL), FEED, NOW)
        slow = asyncio.create_task(worker.read(fetched(BOMB), FEED, NOW))
        others = [asyncio.create_task(worker.read(fetched(SMALL), FEED, NOW)) for _ in range(5)]
        assert all(document.entries for document in await asyncio.gather(*others))
        assert not slow.done()
        second = worker._second.pid
        assert second is not None
        await until(lambda: not exists(second))
        assert not slow.done()
        with pytest.raises(ParseError, match="took longer"):
            await slow
        assert (await worker.read(fetched(SMALL), FEED, NOW)).entries
        assert worker._second.pid is None


async def test_documents_that_are_read_quickly_wait_for_one_process() -> None:
    async with working() as worker:
        await asyncio.gather(*(worker.read(fetched(SMALL), FEED, NOW) for _ in range(20)))
        assert worker._second.pid is None


async def test_links_of_the_http_answer_reach_the_parser() -> None:
    async with working() as worker:
        headers = {"link": '<https://hub.example/>; rel="hub", <https://a.example/self>; rel=self', "server": "x"}
        document = await worker.read(Fetched(NOW, 0.1, 200, body=SMALL, headers=headers), FEED, NOW)
        assert (document.hints.hub, document.hints.topic) == ("https://hub.example/", "https://a.example/self")


async def test_a_worker_that_was_killed_while_idle_is_replaced() -> None:
    async with working() as worker:
        await worker.read(fetched(SMALL), FEED, NOW)
        process = worker._first._process
        assert process is not None
        process.kill()
        await process.wait()
        assert (await worker.read(fetched(SMALL), FEED, NOW)).entries
        assert pid(worker) != process.pid


async def test_a_worker_that_dies_over_a_document_is_named_and_replaced() -> None:
    async with working() as worker:
        await worker.read(fetched(SMALL), FEED, NOW)
        reading = asyncio.create_task(worker.read(fetched(BOMB), FEED, NOW))
        await asyncio.sleep(0.05)
        os.kill(pid(worker), signal.SIGKILL)
        with pytest.raises(ParseError, match="the process that read this document died"):
            await reading
        assert (await worker.read(fetched(SMALL), FEED, NOW)).entries


async def test_an_answer_nobody_waits_for_is_never_given_to_the_next() -> None:
    async with working() as worker:
        await worker.read(fetched(SMALL), FEED, NOW)
        reading = asyncio.create_task(worker.read(fetched(BOMB), FEED, NOW))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert [entry.title for entry in (await worker.read(fetched(SMALL), FEED, NOW)).entries] == ["One"]


async def test_signals_to_the_program_do_not_reach_the_worker() -> None:
    async with working() as worker:
        await worker.read(fetched(SMALL), FEED, NOW)
        first = pid(worker)
        assert os.getpgid(first) != os.getpgid(0)
        os.kill(first, signal.SIGINT)
        os.kill(first, signal.SIGTERM)
        assert (await worker.read(fetched(SMALL), FEED, NOW)).entries
        assert pid(worker) == first


async def test_a_closed_worker_leaves_no_process_and_reads_no_more() -> None:
    async with working() as worker:
        await worker.read(fetched(SMALL), FEED, NOW)
        number = pid(worker)
        await worker.aclose()
        assert not exists(number)
        with pytest.raises(ParseError, match="stopping"):
            await worker.read(fetched(SMALL), FEED, NOW)


def test_the_process_leaves_when_its_parent_is_gone() -> None:
    command = [sys.executable, "-m", "monitor.feeds.worker_process"]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=30, check=True)
    assert done.stdout == frames.frame(frames.READY, b"")
    assert done.stderr == b""


def test_the_process_answers_in_frames_until_the_pipe_ends() -> None:
    requests = [pack_request(Request(body, {}, FEED.url, None, NOW)) for body in (SMALL, b"", b"<rss")]
    source = io.BytesIO(b"".join(frames.frame(frames.REQUEST, request) for request in requests) + b"half a frame"[:3])
    sink = io.BytesIO()
    worker_process.serve(source, sink)
    sink.seek(0)
    ready, first, *refused = (frames.read_frame(sink) for _ in range(4))
    assert ready == b""
    assert [entry.title for entry in unpack_document(first or b"").entries] == ["One"]
    reasons = [unpack_refusal(message or b"") for message in refused]
    assert str(reasons[0]) == "the document is empty"
    assert str(reasons[1]).startswith("neither RSS")
    assert {reason.trouble for reason in reasons} == {"content"}
