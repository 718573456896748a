"""Sends spans to a collector of OpenTelemetry, from a bounded queue: what it does not take is dropped and counted."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from shared import otlp
from shared.otlp import BATCH, MAX_WAITING, SEND_SECONDS, Collector, Service, Span

if TYPE_CHECKING:
    import aiohttp

LAST_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Outflow:
    """The spans of one process on their way to the collector."""

    def __init__(self, collector: Collector, service: Service) -> None:
        self._collector = collector
        self._service = service
        self._spans: deque[Span] = deque(maxlen=MAX_WAITING)
        self._failing = False
        self.dropped = 0

    def add(self, span: Span) -> None:
        """Have a span sent; when too many wait, the oldest is dropped."""
        self.dropped += len(self._spans) == MAX_WAITING
        self._spans.append(span)

    async def send(self) -> None:
        """Send what there is, every few seconds until cancelled, and then once more."""
        import aiohttp  # noqa: PLC0415 - heavy, only where used

        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as http:
            try:
                while True:
                    await asyncio.sleep(otlp.PERIOD_SECONDS)
                    await self.flush(http)
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_SECONDS):
                        await self.flush(http)

    async def flush(self, http: aiohttp.ClientSession) -> None:
        """Send what waits now."""
        while self._spans:
            batch = [self._spans.popleft() for _ in range(min(BATCH, len(self._spans)))]
            try:
                taken = await self._post(http, batch)
            except asyncio.CancelledError:
                self._spans.extendleft(reversed(batch))  # a span that comes twice is one: its id is the same
                raise
            if not taken:
                self.dropped += len(batch)
                return

    async def _post(self, http: aiohttp.ClientSession, spans: list[Span]) -> bool:
        import aiohttp  # noqa: PLC0415 - loaded by `send`

        reason = ""
        try:
            body, headers = self._service.body(spans), self._collector.sent_headers
            async with http.post(self._collector.url, data=body, headers=headers) as answer:
                taken = answer.ok
                reason = f"status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            taken, reason = False, type(error).__name__
        if not taken and not self._failing:
            _log.warning("the collector of traces does not take them", extra={"reason": reason})
        self._failing = not taken
        return taken
