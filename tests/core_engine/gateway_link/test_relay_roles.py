"""Every command as every role, by the relay: the gateway carries it, the engine judges it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from core_engine.gateway_link.relay_session import RelaySession
from shared.contract import catalog
from shared.contract.base import Role
from shared.signing.keys import WalletKey
from tests.core_engine.engine import ADMIN, OWNER, READER, RUNNER, STRANGER, admit, chain
from tests.core_engine.gateway_link.test_relay import behind, signed_in

KEYS: dict[Role | None, WalletKey] = {
    None: STRANGER, Role.READER: READER, Role.RUNNER: RUNNER, Role.ADMIN: ADMIN, Role.OWNER: OWNER,
}  # fmt: skip


REFUSAL = re.compile(r'"code": "FORBIDDEN"|needs the role|has no role')


def fields(name: str) -> dict[str, Any]:
    return {"workflow_data": chain(1)} if name == "validate_workflow" else {"job_id": "nobody"}


async def answered(session: RelaySession) -> None:
    async with asyncio.timeout(60):
        while session._questions:  # noqa: ASYNC110 - it tells nobody when it is empty
            await asyncio.sleep(0.01)


def refused(told: list[tuple[str, Any]]) -> set[str]:
    """The commands that were refused: most by an error with a code, some by a documented event with a sentence."""
    texts = [json.dumps(data) for _, data in told]
    texts += [
        "ask request_settings has no role" for event, _ in told if event == "settings_state"
    ]  # names nobody
    names = {name for text in texts if REFUSAL.search(text) for name in re.findall(r"ask (\w+)", text)}
    return names & set(catalog.commands())


@pytest.mark.parametrize("role", KEYS, ids=lambda role: role.name.lower() if role else "stranger")
async def test_a71_every_command_is_open_to_its_role_and_above(tmp_path: Path, role: Role | None) -> None:
    async with behind(tmp_path) as (running, gateway):
        await admit(running)
        gateway.auth = signed_in(KEYS[role])
        await gateway.open()
        for name in catalog.commands():
            await gateway.command(name, **fields(name), request_id=f"ask {name}")
        if role is None:
            async with gateway._news, asyncio.timeout(60):
                await gateway._news.wait_for(lambda: len(refused(gateway.told)) == len(catalog.commands()))
        else:
            await answered(running.relay._sessions[gateway.label])
            await gateway.command("list_runs", request_id="the last")
            await gateway.next("runs_list_response", lambda data: data.get("request_id") == "the last")
        assert refused(gateway.told) == {
            name for name, model in catalog.commands().items() if role is None or role < model.role
        }
