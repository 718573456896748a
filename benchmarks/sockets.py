"""Pages and engines as the gateway sees them: how each signs in, with the least that it takes."""

from __future__ import annotations

from typing import Any

from benchmarks.servers import SERVICE_KEY
from benchmarks.sio_wire import Namespace, OnEvent, join
from shared.signing.keys import WalletKey

GUIS, ENGINES = "/gui-socket", "/engine-socket"


async def page(url: str, wallet: WalletKey, on_event: OnEvent, *, now_ms: int) -> Namespace:
    """Connect a page; ``now_ms`` (Unix ms) tells pages of one owner apart."""
    message = f"flowork_socket_auth|{wallet.address}|{now_ms}"
    headers = {
        "X-User-Address": wallet.address, "X-Signed-Message": message, "X-Signature": wallet.sign_text(message),
        "X-Payload-Version": "2",
    }  # fmt: skip
    return await join(url, GUIS, on_event, {"headers": headers})


async def engine_link(url: str, engine_id: str, token: str, on_event: OnEvent) -> Namespace:
    """Connect an engine and say that it is up."""
    headers = {"Authorization": f"Bearer {token}", "X-API-Key": SERVICE_KEY}
    made = await join(url, ENGINES, on_event, {"engine_id": engine_id, "token": token}, headers)
    made.emit("engine_ready", ready(engine_id))
    return made


def ready(engine_id: str) -> dict[str, Any]:
    """Return what an engine says when it is up."""
    return {"engine_id": engine_id, "user_id": None}


def vitals(engine_id: str, percent: float) -> dict[str, Any]:
    """Return what an engine tells of how busy it is."""
    return {"engine_id": engine_id, "cpu_percent": percent, "memory_percent": 40.0, "is_busy": False}
