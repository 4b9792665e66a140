"""Turns at a host, and what the user says about single hosts."""

import asyncio
from datetime import timedelta

import pytest

from monitor.feeds.hosts import Manners, Turns
from monitor.feeds.limits import FetchSettings
from monitor.feeds.target import parse_target
from tests.feeds.asking import NOW, a_feed, fetching
from tests.feeds.server import Site, ok

USUAL = "monitor/1.0"


def manners(**settings: object) -> Manners:
    return Manners(FetchSettings.model_validate(settings), USUAL)


@pytest.mark.parametrize(
    ("url", "seconds"),
    [
        ("https://a.example/feed", 1),
        ("https://slow.example/feed", 10),
        ("https://FEEDS.Slow.example./feed", 10),
        ("https://quick.slow.example/feed", 0),
        ("https://not-slow.example/feed", 1),
        ("http://10.0.0.5:81/feed", 0),
        ("http://10.0.0.6/feed", 5),
        ("http://localhost:9000/feed", 0),
        ("http://localhost:9001/feed", 1),
    ],
    ids=[
        "a host like any other",
        "a host with a gap of its own",
        "a host below it, in another spelling",
        "the longest name counts",
        "a name that only ends the same",
        "an address that the user opened",
        "one of them with a gap of its own",
        "a name that the user opened",
        "at another port",
    ],
)
def test_the_gap_is_what_the_user_says(url: str, seconds: float) -> None:
    hosts = {"slow.example": {"gap": "10s"}, "quick.slow.example": {"gap": "0s"}, "10.0.0.6": {"gap": "5s"}}
    said = manners(hosts=hosts, allow=["10.0.0.0/8", "localhost:9000"])
    assert said.gap(parse_target(url)) == seconds


def test_a_host_can_have_a_user_agent_of_its_own() -> None:
    said = manners(hosts={"Example.com": {"user_agent": "agreed/2.0 (x)"}, "slow.example": {"gap": "5s"}})
    agents = [
        said.user_agent(parse_target(f"https://{host}/")) for host in ("feeds.example.com", "slow.example", "b.example")
    ]
    assert agents == ["agreed/2.0 (x)", USUAL, USUAL]


class Times:
    """Takes turns, and notes when each began and ended."""

    def __init__(self, gap: float = 0.0) -> None:
        self.turns = Turns(lambda _target: gap)
        self.begun: list[float] = []
        self.order: list[str] = []
        self.together = self.most = 0

    async def take(self, url: str, seconds: float = 0.02) -> None:
        async with self.turns.turn(parse_target(url)):
            self.begun.append(asyncio.get_running_loop().time())
            self.order.append(url)
            self.together += 1
            self.most = max(self.most, self.together)
            await asyncio.sleep(seconds)
            self.together -= 1


async def test_one_request_at_a_time_goes_to_a_host_in_order_of_arrival() -> None:
    times = Times()
    urls = [f"http://{host}/{number}" for number, host in enumerate(("a.example", "A.example.", "a.example:80"))]
    await asyncio.gather(*(times.take(url) for url in urls))
    assert (times.most, times.order) == (1, urls)


async def test_different_hosts_and_ports_do_not_wait_for_each_other() -> None:
    times = Times()
    await asyncio.gather(*(times.take(f"http://{host}/") for host in ("a.example", "b.example", "a.example:81")))
    assert times.most == 3


async def test_between_two_requests_lies_a_gap() -> None:
    times = Times(gap=0.1)
    await asyncio.gather(*(times.take("http://a.example/", 0.05) for _ in range(2)))
    assert times.begun[1] - times.begun[0] >= 0.14


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    times = Times()
    holder = asyncio.create_task(times.take("http://a.example/1", 0.1))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await times.take("http://a.example/2")
    await asyncio.gather(holder, times.take("http://a.example/3"))
    assert times.order == ["http://a.example/1", "http://a.example/3"]


async def test_a_turn_ends_when_it_fails() -> None:
    times = Times()
    with pytest.raises(OSError, match="broken"):
        async with times.turns.turn(parse_target("http://a.example/")):
            raise OSError("broken")
    await times.take("http://a.example/")


async def test_nothing_is_kept_of_hosts_that_nobody_asks() -> None:
    times = Times(gap=0.01)
    await asyncio.gather(*(times.take(f"http://{number}.example/", 0) for number in range(50)))
    await asyncio.sleep(0.05)
    assert (times.turns._locks, times.turns._wanted) == ({}, {})


async def test_a_fetcher_gives_turns_even_for_what_is_no_address() -> None:
    async with fetching() as fetcher, fetcher.turn("mailto:me@a.example"):
        assert (await fetcher.get("mailto:me@a.example", NOW)).trouble == "address"


async def test_waiting_for_a_turn_is_outside_the_time_of_a_fetch(site: Site) -> None:
    site.pages["/feed"] = ok(b"<rss/>")
    gap = {"127.0.0.1": {"gap": timedelta(seconds=0.3)}}
    async with fetching("127.0.0.1", seconds=0.2, hosts=gap) as fetcher:

        async def poll() -> str | None:
            async with fetcher.turn(site.url()):
                return (await fetcher.fetch(a_feed(site.url()), NOW)).error

        assert set(await asyncio.gather(poll(), poll())) == {None}
