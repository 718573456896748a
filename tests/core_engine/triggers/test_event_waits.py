"""A step that waits hears what another workflow publishes, and what comes to its own web address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp

from core_engine.app import Engine
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import StartRun
from tests.core_engine.triggers.desk import OWNER_ADDRESS, engine, flow, node, until


async def begin(of: Engine, run_id: str, **config: Any) -> str:
    """Start a run that waits; return the token of its wait."""
    links = (("wait", "show"),)
    work = flow(node("wait", "wait_for_event", **config), node("show", "template", template="x"), links=links)
    await of.runs.start(StartRun(run_id, work, OWNER_ADDRESS))

    async def token() -> str | None:
        waiting = (await of.runs.details(run_id)).nodes[0].waiting
        return waiting.token if waiting else None

    return str(await until(token))


async def heard(of: Engine, run_id: str) -> Any:
    await until(lambda: of.runs.summary(run_id).status.final)
    return (await of.runs.connection_history(run_id, "wait-show"))[0]["data"]


async def test_a_published_event_reaches_the_step_that_waits_for_it(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await begin(of, "waits", event_name="order.paid", correlation="7")
        tell = node(
            "tell", "publish_event", event_name="order.paid", correlation="{{ data.n }}", data={"sum": 5}
        )
        for number in (8, 7):
            request = StartRun(f"tells-{number}", flow(tell), OWNER_ADDRESS, Payload({"n": number}))
            await of.runs.start(request)
            await until(lambda number=number: of.runs.summary(f"tells-{number}").status.final)
        assert await heard(of, "waits") == {"sum": 5}


async def test_a_call_of_the_steps_address_ends_the_wait_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, aiohttp.ClientSession() as client:
        token = await begin(of, "waits")
        base = f"{of.address.http}/webhook/resume"
        async with client.post(f"{base}/{'x' * 43}", json={}) as answer:
            assert answer.status == 404
        async with client.post(
            f"{base}/{token}", data="[" * 500, headers={"Content-Type": "application/json"}
        ) as answer:
            assert answer.status == 400
        async with client.post(f"{base}/{token}", json={"ok": True}) as answer:
            assert (answer.status, await answer.json()) == (200, {"resumed": True, "job_id": "waits"})
        async with client.post(f"{base}/{token}", json={"ok": True}) as answer:
            assert answer.status == 404
        async with client.get(f"{base}/{token}") as answer:
            assert answer.status in {404, 405}
        assert await heard(of, "waits") == {"ok": True}
        assert of.runs.open_runs == 0
