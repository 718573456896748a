"""What a gateway keeps beside its database: in memory for one process, in Redis for several."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.pages import MemoryPages, Pages
from gateway.realtime.presence import MemoryPresence, Presence
from gateway.realtime.relay import Relay
from gateway.realtime.server import SocketServer
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Joint:
    """Presence and pages, and what joins the Socket.IO servers; ``attend`` begins to look after all of it."""

    presence: Presence
    pages: Pages
    manager: Any
    attend: Callable[[SocketServer, GuiChannel, Relay], Callable[[], None]]


def in_memory(clock: Clock, timeout_seconds: float) -> Joint:
    """Return what one process needs."""
    return Joint(MemoryPresence(clock, timeout_seconds), MemoryPages(), None, lambda *_: _nothing)


def in_redis(url: str, clock: Clock, timeout_seconds: float, secret: str) -> Joint:
    """Return what one of several processes, which share a secret, needs.

    Raises CONFIGURATION where Redis does not answer.
    """
    from gateway.cluster.manager import ClusterManager  # noqa: PLC0415 - only where several are wanted
    from gateway.cluster.pages import RedisPages  # noqa: PLC0415
    from gateway.cluster.presence import RedisPresence  # noqa: PLC0415
    from gateway.cluster.store import connect, name  # noqa: PLC0415
    from gateway.cluster.workers import Workers  # noqa: PLC0415

    redis, worker = connect(url), secrets.token_hex(8)
    presence = RedisPresence(redis, worker, clock, timeout_seconds)
    pages = RedisPages(redis, worker)

    def attend(server: SocketServer, gui: GuiChannel, relay: Relay) -> Callable[[], None]:
        def beat(lost: bool) -> None:  # noqa: FBT001 - what a beat is told
            for page in pages.enter_again() if lost else ():
                relay.page_back(page)
            for engine_id in presence.take_restored():
                gui.announce_status(engine_id)
                relay.engine_up(engine_id)

        def bury(dead: str) -> None:
            for engine_id in presence.forget_worker(dead):
                gui.announce_status(engine_id)
            for page in pages.forget_worker(dead):
                relay.page_gone(page)
            redis.delete(name("worker", dead, "engines"), name("worker", dead, "pages"))

        workers = Workers(redis, worker, beat=beat, bury=bury)
        workers.begin(server.start_background_task)
        server.listen_to_others()
        return workers.close

    return Joint(presence, pages, ClusterManager(url, secret), attend)


def _nothing() -> None:
    """End nothing: the memory of a process ends with it."""
