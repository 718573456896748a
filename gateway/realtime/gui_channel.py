"""What GUIs are told: each event goes to the addresses it concerns, on all their connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway.db.database import Database
from gateway.db.remembered import Remembered
from gateway.realtime.presence import Presence
from gateway.realtime.server import SocketServer
from gateway.resources.engines import queries
from shared.contract.engine import EngineState, GuiEngineStatus, GuiEngineVitals, GuiVitals

NAMESPACE = "/gui-socket"


def room_of(address: str) -> str:
    """Return the room of all connections of an address in lower case."""
    return f"address:{address}"


class GuiChannel:
    """Sends events to GUIs."""

    def __init__(self, server: SocketServer, database: Database, presence: Presence) -> None:
        self._server = server
        self._database = database
        self._presence = presence
        self._audience = Remembered(database, queries.audience)

    def tell(self, addresses: Iterable[str], event: str, data: Any) -> None:
        """Send an event to every connection of the addresses."""
        self._server.publish(NAMESPACE, event, data, [room_of(address) for address in addresses])

    def status_of(self, engine_id: str) -> GuiEngineStatus:
        """Return whether an engine is online, with its last vitals if so."""
        online = self._presence.is_online(engine_id)
        link = self._presence.find(engine_id)
        status: EngineState = "online" if online else "offline"
        return GuiEngineStatus(
            engine_id=engine_id, status=status, vitals=link.vitals if link and online else None
        )

    def initial_statuses(self, address: str) -> list[dict[str, Any]]:
        """Return the state of every engine an address may know of."""
        engine_ids = queries.visible_to(self._database, address)
        return [self.status_of(engine_id).model_dump() for engine_id in engine_ids]

    def announce_status(self, engine_id: str) -> None:
        """Tell an engine's owner and guests whether it is online."""
        self._tell_audience(engine_id, "engine_status_update", self.status_of(engine_id).model_dump())

    def announce_vitals(self, engine_id: str, vitals: GuiVitals) -> None:
        """Tell an engine's owner and guests how busy it is."""
        frame = GuiEngineVitals(engine_id=engine_id, vitals=vitals).model_dump()
        self._tell_audience(engine_id, "engine_vitals_update", frame)

    def disconnect(self, address: str) -> None:
        """Close every connection of an address."""
        self._server.drop_room(NAMESPACE, room_of(address))

    def _tell_audience(self, engine_id: str, event: str, frame: dict[str, Any]) -> None:
        self.tell(self._audience.get(engine_id), event, frame)
