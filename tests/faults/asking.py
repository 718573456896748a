"""Asks an engine over its own socket, as whoever holds a key."""

from __future__ import annotations

import json
from typing import Any

from websockets.sync.client import ClientConnection, connect

from shared.ids import new_id
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER


def ask(
    client: ClientConnection,
    kind: str,
    /,
    *,
    key: WalletKey = OWNER,
    engine_id: str = ENGINE_ID,
    **fields: Any,
) -> dict[str, Any]:
    """Send a command and return its answer; a start is answered by the first event of its run."""
    payload = {"type": kind, "request_id": new_id(), **fields}
    client.send(seal(key, engine_id, payload, now_ms=CLOCK.now_ms()))
    while True:
        frame: dict[str, Any] = json.loads(client.recv(30))
        if frame.get("request_id") == payload["request_id"]:
            return frame


def ask_once(url: str, kind: str, /, *, key: WalletKey, engine_id: str, **fields: Any) -> dict[str, Any]:
    """Connect, ask, and hang up."""
    with connect(f"{url}/?engineId={engine_id}") as client:
        return ask(client, kind, key=key, engine_id=engine_id, **fields)
