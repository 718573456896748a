"""A whole engine inside the test, on free ports, and clients that really connect and sign."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from core_engine.app import Engine, running
from core_engine.settings import PREFIXES, EngineSettings
from shared.clock import SystemClock
from shared.contract import catalog
from shared.ids import new_id
from shared.settings import load
from shared.signing.envelope import seal
from shared.signing.keys import WalletKey

ENGINE_ID = "engine-1"
OWNER, ADMIN, RUNNER, READER, STRANGER, OTHER = (WalletKey.from_hex(digit * 64) for digit in "123456")
CLOCK = SystemClock()


def settings(folder: Path, **environment: str) -> EngineSettings:
    """Settings of an engine that belongs to OWNER and has no gateway."""
    base = {
        "FLOWORK_ENGINE_ID": ENGINE_ID,
        "FLOWORK_OWNER_ADDRESS": OWNER.address,
        "FLOWORK_DATA_DIR": str(folder),
        "ENGINE_SOCKET_PORT": "0",
        "ENGINE_HTTP_PORT": "0",
        "ENGINE_VITALS_SECONDS": "60",
        "ENGINE_SHUTDOWN_GRACE_SECONDS": "0",
    }
    return load(EngineSettings, base | environment, prefixes=PREFIXES)


class Talker:
    """One connection; events are checked against the contract as they come."""

    def __init__(self, socket: ClientConnection, key: WalletKey) -> None:
        self.socket = socket
        self.key = key
        self.engine_id = ENGINE_ID
        self.frames: list[dict[str, Any]] = []
        self.searched = 0

    def sealed(self, payload: Mapping[str, Any], key: WalletKey | None = None) -> str:
        return seal(key or self.key, self.engine_id, payload, now_ms=CLOCK.now_ms())

    async def send(self, kind: str, /, key: WalletKey | None = None, **fields: Any) -> None:
        await self.socket.send(self.sealed({"type": kind, **fields}, key))

    async def ask(self, kind: str, /, key: WalletKey | None = None, **fields: Any) -> dict[str, Any]:
        """Send a command and return its direct answer."""
        request_id = new_id()
        await self.send(kind, key, request_id=request_id, **fields)
        return await self.until(lambda frame: frame.get("request_id") == request_id)

    async def raw(self, message: str | bytes) -> dict[str, Any]:
        """Send a message as it is and return the next frame."""
        await self.socket.send(message)
        return await self.next()

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            frame = json.loads(await self.socket.recv())
        catalog.events()[frame["type"]].model_validate(frame)
        self.frames.append(frame)
        return frame

    async def until(self, wanted: Any) -> dict[str, Any]:
        while True:
            frame = await self.next()
            if wanted(frame):
                return frame

    async def finish(self, job_id: str) -> dict[str, Any]:
        """Return the final status of a run; it may have come while an answer was awaited."""

        def final(frame: dict[str, Any]) -> bool:
            return (
                frame["type"] == "workflow_status_update"
                and frame["job_id"] == job_id
                and frame["status_data"]["status"] in {"SUCCEEDED", "FAILED", "STOPPED"}
            )

        early = next((frame for frame in self.frames[self.searched :] if final(frame)), None)
        found = early or await self.until(final)
        self.searched = len(self.frames)
        return found

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait for the connection's end; return code and reason."""
        async with asyncio.timeout(30):
            async for _ in swallow(self.socket):
                pass
        return self.socket.close_code, self.socket.close_reason


async def swallow(socket: ClientConnection) -> AsyncIterator[Any]:
    """Read whatever still comes."""
    from websockets.exceptions import ConnectionClosed

    try:
        while True:
            yield await socket.recv()
    except ConnectionClosed:
        return


@asynccontextmanager
async def engine(folder: Path, **environment: str) -> AsyncIterator[Engine]:
    async with running(settings(folder, **environment)) as running_engine:
        yield running_engine


@asynccontextmanager
async def talker(
    of: Engine, key: WalletKey = OWNER, query: str = f"?engineId={ENGINE_ID}", **options: Any
) -> AsyncIterator[Talker]:
    async with connect(f"{of.address.socket}/{query}", **options) as socket:
        yield Talker(socket, key)


async def admit(of: Engine, *, runner: bool = False) -> None:
    """Let ADMIN, RUNNER and READER in, by grants of the owner."""
    from shared.contract.base import Role
    from shared.signing.grants import Grant, sign_grant

    far = CLOCK.now_ms() + 3_600_000
    grants = [
        sign_grant(OWNER, Grant(ENGINE_ID, key.address, role, 1, far)).as_wire()
        for key, role in ((ADMIN, Role.ADMIN), (RUNNER, Role.RUNNER), (READER, Role.READER))
    ]
    await of.access.replace_guests(
        {"addresses": [key.address for key in (OWNER, ADMIN, RUNNER, READER)], "grants": grants}
    )


def chain(length: int = 2, module_id: str = "static_data_provider_module", **config: Any) -> dict[str, Any]:
    """A workflow of steps in a row."""
    nodes = [
        {"id": f"n{i}", "name": f"Step {i}", "module_id": module_id, "config_values": config}
        for i in range(length)
    ]
    edges = [{"id": f"e{i}", "source": f"n{i}", "target": f"n{i + 1}"} for i in range(length - 1)]
    return {"nodes": nodes, "connections": edges}


def waiting(seconds: float = 30.0, length: int = 1) -> dict[str, Any]:
    """A workflow that takes its time."""
    return chain(length, "delay", seconds=seconds)
