"""Keeps the engine connected to its gateway: tries, waits, tries again, for ever and without hurry."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import aiohttp

from core_engine.gateway_link.backoff import Backoff
from core_engine.gateway_link.guests import PATH as GUESTS
from core_engine.gateway_link.guests import GuestFetcher
from core_engine.gateway_link.introduction import Introduction, LinkLostError, LinkRefusedError, Owner
from core_engine.gateway_link.kill_switch import PATH as DISABLED
from core_engine.gateway_link.kill_switch import KillSwitch
from core_engine.gateway_link.relay import Relay
from core_engine.gateway_link.requests import LinkRequests
from core_engine.gateway_link.vitals import Vitals
from shared.clock import Clock

if TYPE_CHECKING:
    from core_engine.gateway_link.session import LinkSession

_log = logging.getLogger(__name__)

STABLE_SECONDS = 10.0


class LinkState(StrEnum):
    """Where the connection to the gateway stands."""

    OFF = "off"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    AUTH_FAILED = "auth_failed"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """Where the gateway is and how patiently it is tried."""

    gateway_url: str
    reconnect_max_seconds: float


class GatewayLink:
    """The link as the engine holds it. `run` it as a task; the engine never waits for it."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        target: LinkTarget,
        introduction: Introduction,
        *,
        owner: Owner,
        take_guests: Callable[[Any], Awaitable[None]],
        clock: Clock,
        relay: Relay | None = None,
        requests: LinkRequests | None = None,
        kill_switch: KillSwitch | None = None,
    ) -> None:
        self._target = target
        self._introduction = introduction
        self._owner = owner
        self._take_guests = take_guests
        self._clock = clock
        self._relay = relay
        self._requests = requests
        self._kill_switch = kill_switch
        self._session: LinkSession | None = None
        self._vitals: Vitals | None = None
        self.state = LinkState.CONNECTING

    def report(self, vitals: Vitals) -> None:
        """Pass on vitals if there is a connection; the latest are kept for the next one."""
        self._vitals = vitals
        if self._session is not None:
            self._session.report(vitals.to_link())

    async def run(self) -> None:
        """Hold the connection until cancelled; nothing a gateway does ends this."""
        backoff = Backoff(self._target.reconnect_max_seconds, random.random)
        while True:
            begun = self._clock.monotonic()
            try:
                await self._connect_once()
            except LinkRefusedError as error:
                self.state = LinkState.AUTH_FAILED
                wait = backoff.slow()
                _log.error(
                    "auth_failed: the gateway refuses this engine; check FLOWORK_ENGINE_ID and FLOWORK_ENGINE_TOKEN",
                    extra={"reason": str(error), "retry_in_seconds": round(wait, 1)},
                )
            except LinkLostError as error:
                wait = self._after_loss(backoff, begun)
                _log.warning(
                    "no connection to the gateway",
                    extra={"reason": str(error), "retry_in_seconds": round(wait, 1)},
                )
            except Exception:  # noqa: BLE001 - a task boundary: no gateway may end the engine
                wait = self._after_loss(backoff, begun)
                _log.exception("the link failed unexpectedly", extra={"retry_in_seconds": round(wait, 1)})
            await asyncio.sleep(wait)

    def _after_loss(self, backoff: Backoff, begun: float) -> float:
        if self.state is LinkState.CONNECTED and self._clock.monotonic() - begun > STABLE_SECONDS:
            backoff.reset()
        self.state = LinkState.UNREACHABLE
        return backoff.next()

    async def _connect_once(self) -> None:
        """Connect and stay connected as long as it lasts; raises why it ended."""
        make_session = await asyncio.to_thread(_load_session)
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()))
            parts = [part for part in (self._relay, self._requests) if part]
            handlers = {event: handler for part in parts for event, handler in part.handlers.items()}
            session = make_session(http, self._introduction, self._owner, self._clock, handlers=handlers)
            if self._relay is not None:
                self._relay.connected(session.ask)
                stack.callback(self._relay.disconnected)
            stack.push_async_callback(session.close)
            stack.callback(self._forget_session)
            await session.open(self._target.gateway_url)
            fetcher = self._fetcher(http, GUESTS, self._take_guests)
            session.on_guests_changed(fetcher.request)
            fetchers = [fetcher]
            if self._kill_switch is not None:
                fetchers.append(self._fetcher(http, DISABLED, self._kill_switch.replace))
                session.on_components_changed(fetchers[-1].request)
            self._use(session)
            fetching = [
                asyncio.create_task(item.run(), name=f"link list {number}")
                for number, item in enumerate(fetchers)
            ]
            for item in fetchers:
                item.request()
            try:
                await session.run()
            finally:
                for task in fetching:
                    task.cancel()
                await asyncio.gather(*fetching, return_exceptions=True)

    def _use(self, session: LinkSession) -> None:
        self._session = session
        self.state = LinkState.CONNECTED
        if self._vitals is not None:
            session.report(self._vitals.to_link())
        _log.info("connected to the gateway", extra={"gateway": self._target.gateway_url})

    def _forget_session(self) -> None:
        self._session = None

    def _fetcher(
        self, http: aiohttp.ClientSession, path: str, take: Callable[[Any], Awaitable[None]]
    ) -> GuestFetcher:
        headers = {
            "X-Engine-Id": self._introduction.engine_id,
            "X-Engine-Token": self._introduction.token,
            "X-API-Key": self._introduction.service_secret,
        }
        return GuestFetcher(
            http,
            self._target.gateway_url,
            {name: value for name, value in headers.items() if value},
            take=take,
            backoff=Backoff(self._target.reconnect_max_seconds, random.random),
            path=path,
        )


def _load_session() -> type[LinkSession]:
    """Load the Socket.IO client: a fifth of an engine's start, which its own clients need not wait for."""
    from core_engine.gateway_link.session import LinkSession  # noqa: PLC0415 - heavy, only where used

    return LinkSession
