"""Push, put together: a server that hubs reach, the subscriptions, and the queue of what was pushed."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from monitor.feeds.fetch import Fetcher
from monitor.websub.app import App
from monitor.websub.inbox import Inbox, Receive
from monitor.websub.limits import Limits
from monitor.websub.settings import WebSubSettings
from monitor.websub.subscriber import Subscriber
from storage.store import Store

_USUAL = Limits()
_ADVICE = "free the port, or choose another with websub.listen; it is tried again every minute, and polling goes on"

log = structlog.get_logger()


class WebSub:
    """Has hubs push what is new in the feeds that advertise one; polling goes on unchanged, as the fallback.

    ``receive`` takes each push: the feed, the document, and its headers with names in lower case.
    """

    def __init__(  # noqa: PLR0913 - what it is put together from
        self,
        settings: WebSubSettings,
        store: Store,
        fetcher: Fetcher,
        receive: Receive,
        now: Callable[[], datetime],
        *,
        limits: Limits = _USUAL,
    ) -> None:
        self._settings = settings
        self._limits = limits
        self._subscriber = Subscriber(settings, store, fetcher, now)
        self._inbox = Inbox(receive, limits)

    async def run(self) -> None:
        """Listen, subscribe and renew until cancelled. Without a public address there is nothing to do: it returns."""
        while self._settings.public_url is not None:
            try:
                await self._work()
            except OSError as error:
                log.error("websub.cannot_listen", address=self._settings.listen, error=error.strerror, advice=_ADVICE)
            except Exception:
                log.exception("websub.fault")
            await asyncio.sleep(self._limits.round_seconds)

    async def _work(self) -> None:
        from monitor.websub.server import bound, serve  # noqa: PLC0415 - uvicorn: only those who use push wait for it

        with bound(*self._settings.place) as listening:
            await self._subscriber.load()
            app = App(self._subscriber, self._inbox, self._limits)
            log.info("websub.listening", address=self._settings.listen, public_url=self._settings.public_url)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(app, listening, self._limits))
                tasks.create_task(self._inbox.work())
                tasks.create_task(self._go_round())

    async def _go_round(self) -> None:
        while True:
            try:
                await self._subscriber.round()
            except Exception:
                log.exception("websub.fault")
            await asyncio.sleep(self._limits.round_seconds)
