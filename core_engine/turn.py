"""The time before a process of an engine works: it shows its health, takes clients for another one, or just waits."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass

from core_engine.documents import check_keys
from core_engine.fronts.front import Front
from core_engine.http.standby import StandbyApi
from core_engine.settings import EngineSettings
from core_engine.standby import Standby
from core_engine.storage import EngineStore
from core_engine.telemetry.metrics import Metrics
from core_engine.telemetry.roles import LEADER, RoleCollector, Seat
from core_engine.transport.address import Address, AddressFile, reachable
from core_engine.wiring import open_front
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a process that works brings along from the time before: its figures, and its clients where it has any."""

    metrics: Metrics
    front: Front | None


async def await_turn(  # noqa: PLR0913 - one thing each
    settings: EngineSettings,
    store: EngineStore,
    standby: Standby,
    stop: asyncio.Event,
    *,
    clock: Clock,
    stack: AsyncExitStack,
) -> Turn:
    """Return when it is this process's turn to work, at once where nobody else could.

    What it opens that outlives the wait is closed by the stack. Raises what `Standby.wait` raises, and CONFIGURATION
    for what makes no start possible.
    """
    stack.push_async_callback(standby.close)
    metrics = Metrics()
    front = await _open_front(settings, store, metrics, clock, stack)
    seat = Seat(front)
    metrics.show(RoleCollector(seat))
    if store.leads:
        await standby.wait(stop)
    else:
        check_keys(settings, store)
        await _wait(settings, standby, stop, metrics, seat, front)
    if front is not None:
        await front.lead()
    seat.role = LEADER
    return Turn(metrics, front)


async def _wait(  # noqa: PLR0913, PLR0917 - one thing each
    settings: EngineSettings,
    standby: Standby,
    stop: asyncio.Event,
    metrics: Metrics,
    seat: Seat,
    front: Front | None,
) -> None:
    listen, link = settings.listen, settings.link
    api = StandbyApi(
        listen.http_host,
        listen.http_port,
        secret=reveal(link.service_secret),
        metrics_token=reveal(link.metrics_token),
        exposition=metrics.exposition,
        role=lambda: seat.role,
        ready=lambda: seat.ready,
    )
    address = AddressFile(settings.data.engine_dir)
    try:
        http = await _listen(api, settings)
        if front is not None:
            front.seek()
            socket = f"ws://{reachable(listen.socket_host, front.port)}"
            address.write(Address(socket, http, settings.identity.engine_id, os.getpid()))
        await standby.wait(stop)
    finally:
        address.withdraw(os.getpid())
        await api.stop()


async def _listen(api: StandbyApi, settings: EngineSettings) -> str:
    """Show the health where that is possible; a port that somebody else has does not end a process that waits."""
    host, port = settings.listen.http_host, settings.listen.http_port
    try:
        await api.start()
    except OSError as error:
        reason = error.strerror or str(error)
        _log.warning(
            "the health of this process cannot be shown", extra={"host": host, "port": port, "reason": reason}
        )
        return ""
    url = f"http://{reachable(host, api.port)}"
    _log.info("while this process stands by it shows its health", extra={"http": url})
    return url


async def _open_front(
    settings: EngineSettings, store: EngineStore, metrics: Metrics, clock: Clock, stack: AsyncExitStack
) -> Front | None:
    if settings.fronts.mode == "off":
        return None
    if not store.shared:
        message = "ENGINE_FRONTS needs a PostgreSQL database (DATABASE_URL) that the processes share."
        raise FloworkError(ErrorCode.CONFIGURATION, message)
    front = open_front(settings, store, metrics.counts, clock)
    stack.push_async_callback(front.close)
    try:
        await front.start()
    except OSError as error:
        text = f"Cannot listen: {error.strerror or error}. Set ENGINE_SOCKET_PORT (0 picks one)."
        raise FloworkError(ErrorCode.CONFIGURATION, text) from error
    return front
