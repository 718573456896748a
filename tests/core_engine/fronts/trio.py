"""Three real processes of one engine on a real database: one works, two are fronts before it."""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect

from shared.signing.keys import WalletKey
from tests.core_engine.engine import OWNER, Talker
from tests.core_engine.test_app import Process, process
from tests.support.postgres import PostgresServer

LEASE = "3"


def told(server: PostgresServer, name: str, **extra: str) -> dict[str, str]:
    """What all processes of one engine are told."""
    return {
        "DATABASE_URL": server.url,
        "ENGINE_DATABASE_SCHEMA": f"f_{zlib.crc32(name.encode()):x}",
        "ENGINE_LEASE_SECONDS": LEASE,
        "ENGINE_MASTER_KEY": "1" * 64,
        "ENGINE_SIGNING_KEY": "2" * 64,
        "ENGINE_FRONTS": "on",
        "ENGINE_FRONTS_PORT": "0",
        "ENGINE_FRONTS_HOLD_SECONDS": "60",
        "GATEWAY_URL": "http://127.0.0.1:9",
        **extra,
    }


@contextmanager
def processes(folder: Path, count: int, settings: dict[str, str]) -> Iterator[list[Process]]:
    """Start them one after the other: the first one works."""
    with ExitStack() as stack:
        yield [stack.enter_context(process(folder / f"p{number}", **settings)) for number in range(count)]


@asynccontextmanager
async def client(of: Process, key: WalletKey = OWNER, **options: Any) -> AsyncIterator[Talker]:
    async with connect(of.url, open_timeout=60, **options) as socket:
        yield Talker(socket, key)


def health(of: Process, path: str) -> tuple[int, dict[str, str]]:
    """Ask a process, where it listens now: one that was promoted has another address."""
    answer = httpx.get(f"{json.loads(of.file.read_text())['http']}{path}", timeout=30)
    return answer.status_code, answer.json()


def seqs(frames: list[dict[str, Any]], job_id: str) -> list[int]:
    return [frame["seq"] for frame in frames if frame.get("job_id") == job_id and "seq" in frame]
