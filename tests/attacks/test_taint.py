"""P9: the value of a secret variable goes through every component and every surface, and comes out nowhere."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core_engine.app import Engine
from shared.contract.trigger import SaveTrigger
from shared.contract.variable import VariableData
from tests.attacks.taint import Ear, new_secret
from tests.core_engine.engine import ADMIN, Talker, admit, talker
from tests.core_engine.gateway_link.test_relay import Gateway, behind
from tests.core_engine.rest.test_rest import SECRET as KEY
from tests.core_engine.rest.test_rest import Asker
from tests.core_engine.triggers.desk import OWNER_ADDRESS, flow, node, save
from tests.support.seed import base_seed

BUILTIN = Path(__file__).resolve().parents[2] / "core_engine" / "components" / "builtin"
NAMED = "{{vars.KEY}}"
PATIENCE = 5.0
TRIED = 60
"""So many settings are tried in each run of the tests, others each time; all of them with TAINT=all."""
ENVIRONMENT = {"GATEWAY_SECRET_TOKEN": KEY, "ENGINE_GATEWAY_ACCESS": "write", "GATEWAY_URL": ""}
TELLS = """
import base64

def run(payload, log):
    value = payload["data"]["copy"]
    raw = value.encode()
    log("plain " + value)
    log("sign-in " + base64.b64encode(b"me:" + raw + b"!").decode())
    for line in value.splitlines():
        log("line " + line)
    log(value * 4000)
    print(value)
    raise ValueError("error with " + value + " and " + raw.hex().upper())
"""


class Stage:
    """An engine with everybody who listens to it, and what they hear."""

    def __init__(self, running: Engine, page: Gateway, owner: Talker, other: Talker, ask: Asker) -> None:
        self.running, self.page, self.owner, self.other, self.ask = running, page, owner, other, ask

    async def start(self, job_id: str, workflow: dict[str, Any], **more: Any) -> dict[str, Any]:
        return await self.owner.ask("execute_workflow", job_id=job_id, workflow_data=workflow, **more)

    async def run(self, job_id: str, workflow: dict[str, Any], **more: Any) -> None:
        told = await self.start(job_id, workflow, **more)
        assert told["type"] == "workflow_status_update", told
        await self.page.command("subscribe_run", job_id=job_id)
        await self.other.ask("subscribe_run", job_id=job_id)
        await self.owner.finish(job_id)

    async def read(self, ear: Ear, job_id: str, *connections: str) -> None:
        """Ask for everything that anybody can ask of a run."""
        ear.hear("REST", await self.ask("GET", f"/workflow/status/{job_id}"), job_id)
        questions: list[tuple[str, dict[str, Any]]] = [
            ("get_run", {}),
            ("list_runs", {}),
            ("make_flow_test", {}),
        ]
        for connection in connections:
            path = f"/workflow/history/{job_id}/{connection}"
            ear.hear("REST", await self.ask("GET", path), path)
            questions.append(("request_connection_history", {"connection_id": connection}))
        for kind, fields in questions:
            ear.hear("raw", await self.owner.ask(kind, job_id=job_id, **fields), f"{kind} {job_id}")
            await self.page.command(kind, job_id=job_id, **fields)

    async def listen(self, ear: Ear) -> None:
        """Look at all that was told by itself."""
        await self.page.command("list_runs", request_id="the last")
        await self.page.next("runs_list_response", lambda data: data.get("request_id") == "the last")
        await self.other.ask("list_runs")
        for frame in (*self.owner.frames, *self.other.frames):
            ear.hear("raw", frame, f"{frame['type']} {frame.get('job_id')}")
        for event, data in self.page.told:
            ear.hear("relay", data, event)
        for path in ("/metrics", "/api/v1/status"):
            async with self.ask.http.get(f"{self.ask.url}{path}", headers={"X-API-Key": KEY}) as answer:
                ear.hear("HTTP", await answer.read(), path)


@pytest.fixture
async def secret() -> str:
    return new_secret()


@pytest.fixture
async def stage(tmp_path: Path, secret: str) -> Any:
    async with (
        behind(tmp_path / "data", **ENVIRONMENT) as (running, page),
        talker(running) as owner,
        talker(running, ADMIN) as other,
        aiohttp.ClientSession() as http,
    ):
        await admit(running)
        await page.open()
        await running.rooms.variables.update("KEY", VariableData(value=secret, is_secret=True))
        yield Stage(running, page, owner, other, Asker(http, running))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from leaves(item, (*path, name))
    if isinstance(value, str):
        yield path


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = new


def tainted(registry: Any) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yield the example of each component with the secret in one of its settings, once for each that may be a text."""
    for path in sorted(BUILTIN.glob("*/example.json")):
        example = json.loads(path.read_text())
        for place, part in enumerate(example["nodes"]):
            if part["module_id"] != path.parent.name:
                continue
            fields = registry.find(part["module_id"]).config_model.model_fields
            texts = [(name,) for name, field in fields.items() if field.annotation in {str, Any}]
            for leaf in dict.fromkeys([*leaves(part["config_values"]), *texts]):
                changed = copy.deepcopy(example)
                put(changed["nodes"][place]["config_values"], leaf, NAMED)
                yield (
                    f"{path.parent.name}-{'-'.join(map(str, leaf))}"[:60].replace(".", "_"),
                    {"nodes": changed["nodes"], "connections": changed["connections"]},
                    example.get("initial_payload"),
                )


def loud() -> dict[str, Any]:
    """A workflow whose steps say the secret aloud, and hand none of it on."""
    code = TELLS.replace('payload["data"]["copy"]', "SECRET")
    return flow(
        node("python", "function_runner_module", python_code=code.replace("SECRET", f"'''{NAMED}'''")),
        node("popup", "debug_popup_module", popup_title=f"A title {NAMED}", content={NAMED: [f"<{NAMED}>"]}),
        node("stop", "stop_with_error", message=f"It is {NAMED}."),
        node(
            "http",
            "http_request",
            url=f"http://127.0.0.1:1/{NAMED}",
            headers={"Authorization": f"Bearer {NAMED}"},
        ),
    )


async def test_p9_what_steps_say_is_masked_before_it_is_written_down(
    stage: Stage, secret: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear(secret)
    with caplog.at_level(logging.INFO):
        for number, part in enumerate(loud()["nodes"]):
            await stage.run(f"loud-{number}", flow(part))
            await stage.read(ear, f"loud-{number}")
        assert any("•••" in json.dumps(frame, ensure_ascii=False) for frame in stage.owner.frames)
        await stage.listen(ear)
        ear.hear_log(caplog.records)
    ear.hear_files(tmp_path)
    assert ear.found == {}
    assert ear.heard > 60


async def test_p9_what_steps_hand_on_is_masked_wherever_it_is_shown(
    stage: Stage, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    ear = Ear(secret)
    workflow = flow(
        node("set", "static_data_provider_module", variables_to_set=[{"name": "copy", "value": NAMED}]),
        node("tell", "function_runner_module", python_code=TELLS),
        node("wait", "manual_approval", title="{{ data.copy }}", message="<{{ data.copy }}>"),
        links=(("set", "tell"), ("set", "wait")),
    )
    with caplog.at_level(logging.INFO):
        await stage.start("tells", workflow)
        await stage.page.command("subscribe_run", job_id="tells")
        async with asyncio.timeout(60):
            while "WAITING" not in str(await stage.owner.ask("get_run", job_id="tells")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await stage.read(ear, "tells", "set-tell", "set-wait")
        await stage.owner.ask("approve_manual", job_id="tells", node_id="wait", comment="fine")
        await stage.owner.finish("tells")
        await stage.read(ear, "tells", "set-tell", "set-wait")
        await _exports(stage, ear, workflow)
        await _webhooks(stage, ear)
        await stage.listen(ear)
        ear.hear_log(caplog.records)
    assert ear.found == {}


async def _exports(stage: Stage, ear: Ear, workflow: dict[str, Any]) -> None:
    await save(stage.running, "kept", workflow)
    pinned = await stage.owner.ask("pin_data", preset="kept", node_id="set", from_job_id="tells")
    ear.hear("raw", pinned, "pin_data")
    for kind, fields in (
        ("list_pins", {"preset": "kept"}), ("load_preset", {"preset": "kept"}), ("request_variables", {}),
        ("list_preset_versions", {"preset": "kept"}), ("list_triggers", {}),
        ("replay_runs", {"status": "FAILED", "dry_run": True}),
        ("rerun", {"job_id": "tells", "new_job_id": "again", "from_node_id": "tell"}),
    ):  # fmt: skip
        ear.hear("raw", await stage.owner.ask(kind, **fields), kind)
    for path in ("/presets/kept", "/variables", "/presets"):
        ear.hear("REST", await stage.ask("GET", path), path)


async def _webhooks(stage: Stage, ear: Ear) -> None:
    """Have a workflow's data and its own answer sent to whoever calls its webhook."""
    given = node("set", "static_data_provider_module", variables_to_set=[{"name": "copy", "value": NAMED}])
    own = node("own", "webhook_response", body={"is": [NAMED]}, headers=[{"name": "X-Is", "value": NAMED}])
    for name, nodes, links in (
        ("data", [given], ()), ("own", [given, own], (("set", "own"),)),
        ("fails", [node("stop", "stop_with_error", message=NAMED)], ()),
    ):  # fmt: skip
        await save(stage.running, name, flow(*nodes, links=links))
        rule = SaveTrigger(preset_name=name, kind="webhook", config={"secret": NAMED})
        item = await stage.running.triggers.save(rule, OWNER_ADDRESS)
        ear.hear("raw", item.model_dump(mode="json"), "save_trigger")
        headers = {"X-Webhook-Secret": stage.running.rooms.variables.get("KEY", "").value.replace("\n", " ")}
        async with stage.ask.http.post(f"{stage.ask.url}/webhook/{name}?wait=30", headers=headers) as answer:
            ear.hear("webhook", await answer.read(), name)
            ear.hear("webhook", str(answer.headers), name)
            ear.hear("webhook", str(answer.status), name)


async def test_p9_no_component_gives_the_secret_in_any_of_its_settings_away(
    stage: Stage, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    ear, runs = Ear(secret), list(tainted(stage.running.registry))
    assert len(runs) > 3 * TRIED
    if os.environ.get("TAINT") != "all":
        seed = base_seed()
        print(f"TEST_SEED={seed}")
        runs = random.Random(seed).sample(runs, TRIED)
    with caplog.at_level(logging.INFO):
        for job_id, workflow, payload in runs:
            more = {} if payload is None else {"initial_payload": payload}
            ear.hear("raw", await stage.start(job_id, workflow, **more), job_id)
        await _let_end(stage)
        for job_id, workflow, _ in runs:
            await stage.read(ear, job_id, *(edge["id"] for edge in workflow["connections"]))
        await stage.listen(ear)
        ear.hear_log(caplog.records)
    assert ear.found == {}


async def _let_end(stage: Stage) -> None:
    """Wait for the runs; those that wait for somebody or for the world are stopped after a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while stage.running.runs.open_runs and loop.time() < until:  # noqa: ASYNC110 - of many runs
        await asyncio.sleep(0.05)
    for run in await stage.running.runs.listing(started_by=None, status=None, before=None, limit=500):
        if not run.status.final:
            await stage.owner.ask("stop_workflow", job_id=run.job_id)
    async with asyncio.timeout(60):
        while stage.running.runs.open_runs:  # noqa: ASYNC110 - of many runs
            await asyncio.sleep(0.05)
