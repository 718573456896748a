"""P17: over both transports, and for every command there is, a lower role never gets more than a higher one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from core_engine.app import Engine
from shared.contract import catalog
from shared.contract.base import Role
from shared.contract.trigger import SaveTrigger
from shared.contract.variable import VariableData
from shared.errors import ErrorCode
from shared.ids import new_id
from shared.signing.keys import WalletKey
from tests.core_engine.engine import (
    ADMIN,
    OWNER,
    READER,
    RUNNER,
    STRANGER,
    Talker,
    admit,
    chain,
    engine,
    talker,
)
from tests.core_engine.gateway_link.test_relay import Gateway
from tests.core_engine.triggers.desk import OWNER_ADDRESS, flow, node, save

LADDER: tuple[tuple[Role | None, WalletKey], ...] = (
    (None, STRANGER), (Role.READER, READER), (Role.RUNNER, RUNNER), (Role.ADMIN, ADMIN), (Role.OWNER, OWNER),
)  # fmt: skip
READS = ("request_", "get_", "list_", "load_", "diff_", "make_", "validate_", "schedule_preview", "inspect_")
"""How commands begin that change nothing: these are asked of things that exist, the others of what does not."""
PASSING = frozenset({"request_id", "seq", "timestamp", "uptime_seconds", "message"})
"""Members that differ from answer to answer."""
CODES = {code.value for code in ErrorCode}
NOTHING: dict[str, Any] = {"job_id": "nobody"}


def asked(name: str) -> dict[str, Any]:
    """Return what a command is asked with."""
    if not name.startswith(READS):
        return NOTHING
    of_preset = {"preset": "saved", "preset_name": "saved", "version": 1, "from_version": 1, "to_version": 2}
    found: dict[str, Any] = {
        "job_id": "by-owner",
        "connection_id": "e0",
        "workflow_data": chain(1),
        "path": "/",
    }
    known = set(catalog.commands()[name].model_fields)
    aliases = {"preset": "name"} if "preset" in known else {}
    fields = {aliases.get(key, key): value for key, value in (found | of_preset).items() if key in known}
    if name in {"list_runs", "list_triggers"}:
        fields = {}
    return fields


def facts(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every scalar of an answer with the names that lead to it."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name not in PASSING:
                yield from facts(item, f"{path}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from facts(item, path)
    else:
        yield path, value


def granted(answers: list[Any]) -> list[Any]:
    """Return the answers that are no errors: of what one may not see it is said that it is not there."""
    return [answer for answer in answers if not _is_error(answer)]


def _is_error(answer: Any) -> bool:
    """Tell whether an answer is one: some documented events say so inside."""
    if not isinstance(answer, dict):
        return False
    return answer.get("code") in CODES or bool((answer.get("payload") or answer).get("error"))


def is_refusal(answers: list[Any]) -> bool:
    """Tell whether all that came is a refusal for want of a role."""
    texts = str(answers)
    return "FORBIDDEN" in texts or "has no role" in texts or "needs the role" in texts


class Raw:
    """Everybody on the engine's own socket."""

    def __init__(self, talkers: dict[Role | None, Talker]) -> None:
        self._talkers = talkers

    async def ask(self, role: Role | None, name: str) -> list[Any]:
        return [await self._talkers[role].ask(name, **asked(name))]


class Relayed:
    """Everybody on a page of their own behind the gateway."""

    def __init__(self, running: Engine) -> None:
        self._pages = {
            role: Gateway(running, key, f"page-{number:016d}") for number, (role, key) in enumerate(LADDER)
        }
        running.relay.connected(self._send)

    async def open(self) -> None:
        for page in self._pages.values():
            await page.open()

    async def _send(self, event: str, data: dict[str, Any]) -> Any:
        for page in self._pages.values():
            await page.send(event, data)
        return {"ok": True, "room": 500}

    async def ask(self, role: Role | None, name: str) -> list[Any]:
        """Ask, and return all that came before the answer to a question asked after it was answered."""
        page = self._pages[role]
        before = len(page.told)
        await page.command(name, **asked(name), request_id=f"ask {name}")
        session = page.relay._sessions.get(page.label)
        async with asyncio.timeout(60):
            while session is not None and session._questions:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.002)
        last = new_id()
        await page.command("list_runs", request_id=last)
        await _until(lambda: any(_names(data, last) for _, data in page.told))
        return [data for _, data in page.told[before:] if not _names(data, last)]


def _names(data: Any, request_id: str) -> bool:
    return isinstance(data, dict) and data.get("request_id") == request_id


async def _until(found: Any) -> None:
    async with asyncio.timeout(60):
        while not found():  # noqa: ASYNC110 - of what others append to
            await asyncio.sleep(0.002)


@pytest.fixture
async def furnished(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine with something to read of every kind."""
    async with engine(tmp_path) as running, talker(running) as owner, talker(running, RUNNER) as runner:
        await admit(running)
        for length in (1, 2):
            await save(
                running, "saved", flow(*(node(f"n{n}", "static_data_provider_module") for n in range(length)))
            )
        variables = running.rooms.variables
        await variables.update("OPEN", VariableData(value="readable"))
        await variables.update("HIDDEN", VariableData(value="not to be read", is_secret=True))
        await running.triggers.save(
            SaveTrigger(preset_name="saved", kind="cron", config={"cron_string": "0 0 1 1 *"}), OWNER_ADDRESS
        )
        await owner.ask("execute_workflow", job_id="by-owner", workflow_data=chain(2))
        await owner.finish("by-owner")
        await runner.ask("execute_workflow", job_id="by-runner", preset_name="saved")
        await runner.finish("by-runner")
        yield running


@pytest.mark.parametrize("transport", ["raw", "relay"])
async def test_p17_whoever_may_do_less_gets_nothing_that_others_do_not(
    furnished: Engine, transport: str
) -> None:
    async with AsyncExitStack() as stack:
        way: Any
        if transport == "raw":
            talkers = {role: await stack.enter_async_context(talker(furnished, key)) for role, key in LADDER}
            way = Raw(talkers)
        else:
            way = Relayed(furnished)
            await way.open()
        wrong, answered = [], 0
        for name in catalog.commands():
            seen = {role: await way.ask(role, name) for role, _ in LADDER}
            if "not to be read" in str(seen):
                wrong.append(f"{name} tells a secret")
            for (low, _), (high, _) in itertools.pairwise(LADDER):
                if is_refusal(seen[low]):
                    continue
                answered += 1
                less, much = granted(seen[low]), granted(seen[high])
                if is_refusal(seen[high]) or (less and not much):
                    wrong.append(f"{name}: {low} may, {high} may not")
                elif more := set(facts(less)) - set(facts(much)):
                    wrong.append(f"{name}: {low} is told {sorted(map(str, more))[:5]}, {high} is not")
    assert wrong == []
    assert answered > len(catalog.commands())
