"""What the rules are given to look at, and when it is too early for that."""

from datetime import UTC, datetime, timedelta

from monitor.config import Config
from monitor.detection.flow import Calendar
from monitor.occasions import PATIENCE, gather
from storage.store import Store
from tests.builders import NOW, entry, feed_in, past_first_answer, poll, tag, tell
from tests.fakes import CONFIG

DIGEST = Config.model_validate({**CONFIG, "alerts": [{"name": "daily", "rule": "digest", "at": "13:50"}]})
NEXT_DAY = NOW + timedelta(days=1)  # ten minutes after the digest was due


async def is_there(store: Store, now: datetime) -> bool:
    """Tell whether the digest is told now."""
    return bool((await gather(store, DIGEST, Calendar(UTC), now)).digests)


class TestADigest:
    async def waiting(self, store: Store) -> None:
        await store.save_poll(poll(await past_first_answer(store, await feed_in(store)), entry("One")), NOW)

    async def test_it_waits_for_items_that_are_not_counted_yet(self, store: Store) -> None:
        await self.waiting(store)
        assert not await is_there(store, NEXT_DAY)
        await tag(store, efficiency=0.9)
        await tell(store)
        assert await is_there(store, NEXT_DAY)

    async def test_it_does_not_wait_for_ever(self, store: Store) -> None:
        await self.waiting(store)
        assert await is_there(store, NEXT_DAY + PATIENCE)
