"""What the resources are built from."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.billing.service import Billing
from gateway.db.database import Database
from gateway.db.socket_sessions import SocketSessions
from gateway.realtime.engine_links import EngineLinks
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.presence import Presence
from shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of one gateway that its resources may use."""

    clock: Clock
    database: Database
    sessions: SocketSessions
    presence: Presence
    links: EngineLinks
    gui: GuiChannel
    billing: Billing
    bundled_engine: str = ""
