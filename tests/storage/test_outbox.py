"""The outbox: every message arrives or is shown; receipts, partial success, second sendings."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from storage import reading
from storage.alert_records import Delivery, Finding, Release, Retry, Sent
from storage.store import Store
from tests.builders import NOW, finding, raised

SOON, DAY = timedelta(seconds=10), timedelta(days=1)
LATER = Retry(NOW + DAY, "refused")
OVER = Retry(None, "no such webhook")


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    return reading.ask(store.path, sql).rows


async def tell(store: Store, *found: Finding) -> None:
    await store.save_judgement([], raised(*found), [], 0, NOW)


async def one_delivery(store: Store) -> Delivery:
    await tell(store, finding())
    return await due(store)


async def due(store: Store, now: datetime = NOW) -> Delivery:
    (delivery,) = await store.due_deliveries("desk", now)
    return delivery


class TestDelivering:
    async def test_a_sent_delivery_is_never_due_again(self, store: Store) -> None:
        delivery = await one_delivery(store)
        await store.begin_attempt(delivery, Retry(NOW + DAY, "untold"))
        await store.mark_sent(delivery, Sent("<id@desk>", "boss@example.org: no such user"), NOW)
        assert await store.due_deliveries("desk", NOW + 999 * DAY) == []
        sent = rows(store, "SELECT state, attempts, receipt, refused, error FROM deliveries")
        assert sent == [("sent", 1, "<id@desk>", "boss@example.org: no such user", None)]

    async def test_a_failed_delivery_waits_for_its_next_try(self, store: Store) -> None:
        delivery = await one_delivery(store)
        await store.begin_attempt(delivery, Retry(NOW + 2 * DAY, "untold"))
        await store.mark_failed(delivery, LATER, NOW)
        assert await store.due_deliveries("desk", NOW) == []
        assert (await due(store, NOW + DAY)).attempts == 1
        assert rows(store, "SELECT state, error FROM deliveries_open") == [("pending", "refused")]

    async def test_a_given_up_delivery_is_shown_and_can_be_requeued(self, store: Store) -> None:
        await store.mark_failed(await one_delivery(store), OVER, NOW)
        assert await store.due_deliveries("desk", NOW + 999 * DAY) == []
        assert rows(store, "SELECT state FROM deliveries_open") == [("failed",)]
        assert await store.requeue_failed(NOW + DAY, NOW) == 0
        assert await store.requeue_failed(NOW - DAY, NOW) == 1
        assert (await due(store)).attempts == 0

    async def test_a_next_try_planned_by_a_clock_that_was_a_year_ahead_has_come(self, store: Store) -> None:
        await store.mark_failed(await one_delivery(store), Retry(NOW + 365 * DAY, "refused"), NOW)
        assert await store.due_channels(NOW) == ["desk"]
        assert (await due(store)).alert.finding == finding()

    async def test_an_attempt_whose_outcome_is_never_told_is_made_again_later(self, store: Store) -> None:
        await store.begin_attempt(await one_delivery(store), Retry(NOW + SOON, "untold"))
        assert await store.due_deliveries("desk", NOW) == []
        assert (await due(store, NOW + SOON)).attempts == 1

    async def test_another_channel_is_told_in_the_same_step_that_one_was_given_up(self, store: Store) -> None:
        notice = finding("delivery:desk", "team")
        await store.mark_failed(await one_delivery(store), OVER, NOW, notice)
        assert [d.alert.finding for d in await store.due_deliveries("team", NOW)] == [notice]

    async def test_who_was_reached_is_remembered_through_all_attempts(self, store: Store) -> None:
        delivery = await one_delivery(store)
        await store.mark_failed(delivery, replace(LATER, reached=("a@example.org",)), NOW)
        delivery = await due(store, NOW + DAY)
        assert delivery.reached == ("a@example.org",)
        await store.begin_attempt(delivery, LATER)
        await store.mark_failed(delivery, replace(LATER, reached=("b@example.org", "a@example.org")), NOW)
        assert (await due(store, NOW + DAY)).reached == ("a@example.org", "b@example.org")


class TestChannels:
    """What one message meets says something of the others on the same channel."""

    async def two(self, store: Store) -> tuple[Delivery, Delivery]:
        await tell(store, finding("one"), finding("two"))
        one, two = await store.due_deliveries("desk", NOW, 9)
        return one, two

    async def test_a_server_that_wants_no_message_for_a_day_gets_none(self, store: Store) -> None:
        one, _ = await self.two(store)
        await tell(store, finding("other", "team"))
        await store.mark_failed(one, Retry(NOW + DAY, "429", closed_until=NOW + DAY), NOW)
        assert await store.due_channels(NOW + SOON) == ["team"]
        assert len(await store.due_deliveries("desk", NOW + DAY, 9)) == 2

    async def test_once_it_takes_one_again_the_others_do_not_wait_for_their_own_next_try(self, store: Store) -> None:
        for one in await self.two(store):
            await store.begin_attempt(one, LATER)
        again, other = await store.due_deliveries("desk", NOW + DAY, 9)
        await store.mark_failed(other, Retry(NOW + 2 * DAY, "refused"), NOW + DAY)
        await store.mark_sent(again, Sent(), NOW + DAY)
        assert [one.id for one in await store.due_deliveries("desk", NOW + DAY, 9)] == [other.id]

    async def test_a_message_that_is_taken_at_once_hurries_nobody(self, store: Store) -> None:
        one, two = await self.two(store)
        await store.mark_failed(one, LATER, NOW)
        await store.mark_sent(two, Sent(), NOW)
        assert await store.due_deliveries("desk", NOW, 9) == []

    async def test_what_began_is_tried_again_before_what_goes_on_with_it(self, store: Store) -> None:
        await store.mark_failed(await one_delivery(store), LATER, NOW)
        start = finding()
        await tell(store, replace(start, key="update", thread=start.key, phase="update"))
        assert [one.alert.finding.key for one in await store.due_deliveries("desk", NOW, 9)] == [start.key, "update"]


class TestThreads:
    def of(self, key: str, phase: str) -> Finding:
        found = replace(finding(key, "desk", "team"), thread="start")
        return replace(found, phase=phase)  # type: ignore[arg-type]

    async def send_all(self, store: Store, channel: str) -> list[tuple[str, ...]]:
        threads = []
        while deliveries := await store.due_deliveries(channel, NOW):
            threads.append(deliveries[0].thread)
            await store.mark_sent(deliveries[0], Sent(f"<{deliveries[0].alert.finding.key}@{channel}>"), NOW)
        return threads

    async def test_a_message_knows_what_the_server_called_the_earlier_ones_of_its_thread(self, store: Store) -> None:
        await tell(store, self.of("start", "start"), self.of("more", "update"), finding("other"), self.of("end", "end"))
        sent = await self.send_all(store, "desk")
        assert sent == [(), ("<start@desk>",), (), ("<start@desk>", "<more@desk>")]
        assert await self.send_all(store, "team") == [(), ("<start@team>",), ("<start@team>", "<more@team>")]

    async def test_a_message_that_is_late_or_sent_again_answers_only_what_came_before_it(self, store: Store) -> None:
        await tell(store, self.of("start", "start"), self.of("more", "update"), self.of("end", "end"))
        await self.send_all(store, "desk")
        await store.resend(2, ["desk"], NOW)
        assert (await due(store)).thread == ("<start@desk>",)

    async def test_what_goes_on_with_one_of_many_in_a_summary_answers_that_message(self, store: Store) -> None:
        waiting = raised(self.of("start", "start"), finding("other", "desk"), state="held", until=NOW)
        await store.save_judgement([], waiting, [], 0, NOW)
        await store.release([Release((1, 2), summary=finding("summary", "desk"))], NOW)
        await tell(store, self.of("more", "update"))
        summary, _ = await store.due_deliveries("desk", NOW)
        await store.mark_sent(summary, Sent("<summary@desk>"), NOW)
        update = await due(store)
        assert (update.thread, update.carriers) == ((), ("<summary@desk>",))

    async def test_messages_without_a_name_at_the_server_are_left_out(self, store: Store) -> None:
        await tell(store, self.of("start", "start"), self.of("end", "end"))
        first, _ = await store.due_deliveries("desk", NOW)
        await store.mark_sent(first, Sent(), NOW)
        assert (await due(store)).thread == ()


class TestResending:
    @pytest.mark.parametrize("outcome", [Sent("<id>"), OVER], ids=["what was sent", "what was given up"])
    async def test_it_goes_out_again_under_another_mark(self, store: Store, outcome: Sent | Retry) -> None:
        delivery = await one_delivery(store)
        await store.begin_attempt(delivery, LATER)
        if isinstance(outcome, Sent):
            await store.mark_sent(delivery, outcome, NOW)
        else:
            await store.mark_failed(delivery, outcome, NOW)
        assert await store.resend(delivery.alert.id, None, NOW) == 1
        again = await due(store)
        assert (again.id, again.attempts, again.resends) == (delivery.id, 0, 1)

    async def test_everybody_gets_it_again(self, store: Store) -> None:
        delivery = await one_delivery(store)
        await store.mark_failed(delivery, replace(OVER, reached=("a@example.org",)), NOW)
        await store.resend(delivery.alert.id, None, NOW)
        assert (await due(store)).reached == ()

    async def test_what_is_on_its_way_is_only_hurried(self, store: Store) -> None:
        delivery = await one_delivery(store)
        await store.mark_failed(delivery, replace(LATER, reached=("a@example.org",)), NOW)
        assert await store.resend(delivery.alert.id, None, NOW) == 1
        hurried = await due(store)
        assert (hurried.resends, hurried.reached) == (0, ("a@example.org",))

    async def test_channels_may_be_chosen_also_new_ones(self, store: Store) -> None:
        await tell(store, finding("k", "desk", "team"))
        for channel in ("desk", "team"):
            (delivery,) = await store.due_deliveries(channel, NOW)
            await store.mark_sent(delivery, Sent(), NOW)
        assert await store.resend(1, ["team", "phone"], NOW) == 2
        assert await store.due_channels(NOW) == ["phone", "team"]

    async def test_what_was_held_or_muted_is_told_by_it(self, store: Store) -> None:
        await store.save_judgement([], raised(finding("a"), state="held", until=NOW), [], 0, NOW)
        await store.save_judgement([], raised(finding("b"), state="muted"), [], 0, NOW)
        assert [await store.resend(number, None, NOW + DAY) for number in (1, 2)] == [1, 1]
        states = [(d.alert.state, d.alert.until) for d in await store.due_deliveries("desk", NOW + DAY)]
        assert states == [("told", NOW + DAY), ("told", None)]
        assert await store.held(NOW + DAY) == []

    async def test_an_unknown_alert_is_sent_nowhere(self, store: Store) -> None:
        assert await store.resend(9, ["desk"], NOW) == 0
