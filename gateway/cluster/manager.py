"""Socket.IO events between gateway processes, over Redis publish and subscribe."""

from __future__ import annotations

from typing import Any

import socketio
from typing_extensions import override

from gateway.cluster.sealed_json import SealedJson

CHANNEL = "flowork:gateway:events"


class ClusterManager(socketio.RedisManager):  # type: ignore[misc] # python-socketio has no types
    """Delivers events to connections of any process; those of this one never leave it.

    Others believe only what was written with the ``secret`` that they share.
    """

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(url, channel=CHANNEL, redis_options={"health_check_interval": 15})
        self._sealed = SealedJson(secret)

    @override
    def set_server(self, server: Any) -> None:
        super().set_server(server)
        self.json = self._sealed  # the library has just put in the server's own

    @override
    def emit(self, event: Any, data: Any, namespace: Any = None, room: Any = None, **options: Any) -> Any:
        """Send an event; what is for one connection of this process is sent at once."""
        to = options.pop("to", None) or room
        if isinstance(to, str) and self.is_connected(to, namespace):
            options["ignore_queue"] = True
        return super().emit(event, data, namespace=namespace, room=to, **options)

    @override
    def _handle_disconnect(self, message: dict[str, Any]) -> None:
        sid, namespace = message.get("sid"), message.get("namespace")
        if self.is_connected(sid, namespace):
            self.server.drop(namespace, sid)

    @override
    def _handle_close_room(self, message: dict[str, Any]) -> None:
        # Nobody here closes rooms without closing the connections in them.
        namespace = message.get("namespace")
        for sid, _ in list(self.get_participants(namespace, message.get("room"))):
            self.server.drop(namespace, sid)
