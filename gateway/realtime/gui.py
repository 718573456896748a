"""The namespace of GUIs, ``/gui-socket`` (protocol §2.4, §3.1-3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gateway.auth.socket_handshake import SignIn, SocketHandshake
from gateway.db.database import Database
from gateway.realtime import frames
from gateway.realtime.gui_channel import NAMESPACE, GuiChannel, room_of
from gateway.realtime.relay import Relay
from gateway.realtime.server import SocketServer
from gateway.resources.accounts.service import register
from shared.clock import Clock
from shared.signing.standing import expired


class GuiEndpoint:
    """Admits signed-in GUIs, tells them about their engines and passes their commands on to these.

    What is known of a connection is how it signed in.
    """

    namespace = NAMESPACE

    def __init__(  # noqa: PLR0913 - keywords only
        self,
        *,
        server: SocketServer,
        handshake: SocketHandshake,
        gui: GuiChannel,
        relay: Relay,
        database: Database,
        clock: Clock,
    ) -> None:
        self._server = server
        self._handshake = handshake
        self._gui = gui
        self._relay = relay
        self._database = database
        self._clock = clock
        self._ends: dict[str, int] = {}
        server.look_after(self._sign_out)

    def accept(self, sid: str, environ: dict[str, Any], auth: Any) -> SignIn:
        """Return what the auth object proves; raises to refuse. An unknown address is registered."""
        del sid
        sign_in = self._handshake.authenticate(auth, environ)
        register(self._database, self._clock, sign_in.address)
        return sign_in

    def joined(self, sid: str, known: SignIn) -> None:
        """Send the state of the engines this address may know of, and tell these that the page is there."""
        if known.until_ms is not None:
            self._ends[sid] = known.until_ms
        self._server.enter_room(sid, room_of(known.address), namespace=NAMESPACE)
        statuses = self._gui.initial_statuses(known.address)
        self._server.publish(NAMESPACE, "initial_engine_statuses", statuses, sid)
        self._relay.joined(sid, known)

    def receive(self, sid: str, known: SignIn, event: str, args: Sequence[Any]) -> Any:
        """Pass a command on to an engine; raises what the relay raises."""
        return self._relay.forward(sid, known, event, args)

    def left(self, sid: str, known: SignIn | None) -> None:
        """Tell the engines that work for the page."""
        self._ends.pop(sid, None)
        if known is not None:
            self._relay.left(sid, known)

    def _sign_out(self) -> None:
        """Close the connections whose delegation has ended: they are told nothing more of any engine."""
        now_ms = self._clock.now_ms()
        for sid, until_ms in list(self._ends.items()):
            if until_ms <= now_ms:
                self._ends.pop(sid, None)
                self._server.publish(NAMESPACE, "error", frames.error_frame(expired(), ()), sid)
                self._server.drop(NAMESPACE, sid)
