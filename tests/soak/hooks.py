"""Clients of the soak from outside: they call a webhook, each delivery again under its id until its run is known."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import aiohttp
from typing_extensions import override

from shared.ids import new_id
from shared.signing.presets import sign_preset
from tests.soak.clients import LOST, PATIENCE, SILENCE, LostError, SocketClient
from tests.soak.work import FINAL, Started, workflow

PRESET = "soak-hook"
RULE = "soak-hook-rule"


class HookClient(SocketClient):
    """Sends deliveries; the run of each has one effect, however often the delivery was sent."""

    @override
    def _next(self) -> Started:
        delivery = new_id()
        run = Started(f"delivery {delivery}", "write", {}, time.monotonic(), effect=delivery)
        self.book.runs.append(run)
        return run

    @override
    async def attempt(self, run: Started) -> None:
        if run.acked is None:
            run.job_id = await self._deliver(run.effect)
            run.acked = time.monotonic()
        while run.ended is None:
            answer = await self.details(run.job_id)
            if answer["type"] == "error" and answer["code"] != "NOT_FOUND":  # it waits for a free place
                self.refuse(run, answer["code"], answer["message"])
            if answer["type"] != "error" and answer["run"]["status"] in FINAL:
                self.hear(run, answer["run"]["status"])
            elif time.monotonic() > run.begun + PATIENCE:
                raise LostError("it does not end")
            else:
                await asyncio.sleep(0.3)

    async def _deliver(self, delivery: str) -> str:
        address = self.platform.folder / "engine" / "address.json"
        try:
            url = json.loads(address.read_text())["http"]
            limit = aiohttp.ClientTimeout(SILENCE)
            headers = {"X-Webhook-Secret": self.platform.secret, "X-Delivery-Id": delivery}
            async with (
                aiohttp.ClientSession(timeout=limit) as http,
                http.post(f"{url}/webhook/{PRESET}", json={"id": delivery}, headers=headers) as answer,
            ):
                told = await answer.json()
                if answer.status not in {200, 202} or not told.get("job_id"):
                    raise LostError(f"{answer.status} {told}")
                return str(told["job_id"])
        except (aiohttp.ClientError, ValueError) as error:  # it is away, or its file is being written
            raise LostError(str(error)) from error


async def open_hook(client: HookClient) -> None:
    """Save the workflow and its webhook, as the owner does."""
    data = workflow("write", client.world.url("{{ data.body.id }}"), client.rng)
    signature = sign_preset(client.platform.owner, data)
    await _insist(client, "save_preset", name=PRESET, workflow_data=data, signature=signature)
    config = {"secret": client.platform.secret, "rate_per_second": 10_000}
    policy = {"kind": "parallel", "limit": 100}
    await _insist(
        client, "save_trigger", rule_id=RULE, preset_name=PRESET, kind="webhook", config=config, policy=policy
    )
    await client.hang_up()


async def _insist(client: HookClient, kind: str, /, **fields: Any) -> None:
    while True:
        with contextlib.suppress(*LOST):
            answer = await client.ask(kind, **fields)
            assert answer["type"] != "error", answer
            return
        await client.hang_up()
        await asyncio.sleep(0.2)
