"""A whole engine with triggers inside the test: presets are saved as the owner does, HTTP is real."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core_engine.app import Engine, running
from core_engine.triggers.rules import Rule
from shared.clock import Clock
from shared.contract.run import RunSummary
from shared.contract.trigger import SaveTrigger
from shared.signing.presets import sign_preset
from tests.core_engine.engine import OWNER, settings

OWNER_ADDRESS = OWNER.address.lower()


@asynccontextmanager
async def engine(folder: Path, clock: Clock | None = None, **environment: str) -> AsyncIterator[Engine]:
    async with running(settings(folder, **environment), clock=clock) as made:
        yield made


def flow(*nodes: dict[str, Any], links: tuple[tuple[str, str], ...] = (), **settings: Any) -> dict[str, Any]:
    """A workflow of these nodes; links are pairs of node ids."""
    edges = [{"id": f"{a}-{b}", "source": a, "target": b} for a, b in links]
    data: dict[str, Any] = {"nodes": list(nodes), "connections": edges}
    return data | ({"settings": settings} if settings else {})


def node(node_id: str, module_id: str, **config: Any) -> dict[str, Any]:
    return {"id": node_id, "name": node_id, "module_id": module_id, "config_values": config}


def pause(seconds: float = 60.0) -> dict[str, Any]:
    """A workflow that is still there when looked at; it waits without running."""
    return flow(node("wait", "wait_until", seconds=seconds))


def quick() -> dict[str, Any]:
    return flow(node("set", "static_data_provider_module"))


async def save(of: Engine, name: str, workflow: dict[str, Any]) -> None:
    signature = sign_preset(OWNER, workflow)
    await of.rooms.presets.save(name, workflow, signature, by=OWNER_ADDRESS, based_on=None)


async def rule(of: Engine, kind: str, preset: str = "flow", by: str = OWNER_ADDRESS, **fields: Any) -> Rule:
    item = await of.triggers.save(SaveTrigger(preset_name=preset, kind=kind, **fields), by)
    return of.triggers.rules.get(item.id)


async def runs(of: Engine, preset: str | None = None) -> list[RunSummary]:
    """The runs, oldest first."""
    found = await of.runs.listing(started_by=None, status=None, before=None, limit=500, preset=preset)
    return found[::-1]


async def until(check: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Wait for something that the engine does by itself."""
    async with asyncio.timeout(seconds):
        while True:
            found = check()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


async def ended(of: Engine, run_id: str) -> RunSummary:
    await until(lambda: of.triggers.starter.status(run_id))
    return of.runs.summary(run_id)


async def given(of: Engine, run_id: str) -> Any:
    """What a run was started with."""
    from core_engine.triggers.results import RunResults

    results = RunResults(of._store, of.rooms)
    _, state = await asyncio.to_thread(results._archive.load_state, run_id)
    return state.payloads.load(state.accepted.initial).data


def signature(secret: str, body: bytes, moment: int | None = None) -> str:
    signed = body if moment is None else f"{moment}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
