"""The least that relays between two namespaces with python-socketio: what B6 is compared with."""

from __future__ import annotations

from typing import Any

import socketio

GUIS, ENGINES = "/gui-socket", "/engine-socket"
server = socketio.Server(async_mode="eventlet", namespaces=[GUIS, ENGINES])
app = socketio.WSGIApp(server)


@server.on("connect", namespace=ENGINES)  # type: ignore[untyped-decorator] # it has no types
def engine_came(sid: str, _environ: dict[str, Any], auth: dict[str, Any]) -> None:
    """Put the engine where its id finds it."""
    server.enter_room(sid, auth["engine_id"], namespace=ENGINES)


@server.on("get_run", namespace=GUIS)  # type: ignore[untyped-decorator] # it has no types
def ask(sid: str, data: dict[str, Any]) -> None:
    """Pass a command on."""
    command = {"session": sid, "payload": data["payload"]}
    server.emit("relay_command", command, to=data["payload"]["target_engine_id"], namespace=ENGINES)


@server.on("relay_events", namespace=ENGINES)  # type: ignore[untyped-decorator] # it has no types
def answer(_sid: str, data: dict[str, Any]) -> dict[str, Any]:
    """Hand the events to the page."""
    for item in data["events"]:
        server.emit(item["event"], item["data"], to=data["session"], namespace=GUIS)
    return {"ok": True}
