"""What the resources are built from."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.auth.admins import Admins
from gateway.auth.share_tokens import ShareTokens
from gateway.billing.service import Billing
from gateway.chain.names import Names
from gateway.db.database import Database
from gateway.db.socket_sessions import SocketSessions
from gateway.realtime.engine_links import EngineLinks
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.presence import Presence
from gateway.telemetry.tracing import Tracing
from gateway.web.answer_cache import AnswerCache
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
    answers: AnswerCache
    share_tokens: ShareTokens
    admins: Admins
    billing: Billing
    names: Names
    tracing: Tracing
    bundled_engine: str = ""
    public_url: str = ""
