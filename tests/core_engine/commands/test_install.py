"""A real engine, asked over its socket: dropped in, installed, updated and removed without a restart."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from core_engine.app import Engine
from core_engine.components.dropin.folder import folder_hash
from core_engine.components.dropin.package import pack
from shared.signing.components import sign_component
from shared.signing.presets import sign_preset
from tests.core_engine.components.dropin.conftest import CODE, MANIFEST, build_wheel
from tests.core_engine.engine import ADMIN, OWNER, RUNNER, Talker, admit, chain, engine, talker

NEEDS_A_PACKAGE = CODE.replace("class Greeter", "import oldsaying\n\nclass Greeter").replace(
    "config['greeting']}", "oldsaying.say()}"
)


def folder(place: Path, code: str = CODE, requirements: str = "", **changes: Any) -> Path:
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps(MANIFEST | changes))
    (place / "processor.py").write_text(code)
    if requirements:
        (place / "requirements.txt").write_text(requirements)
    return place


def package(place: Path, version: str = "1.0.0", **changes: Any) -> str:
    made = folder(place / version, version=version, **changes)
    (made / "signature.json").write_text(sign_component(OWNER, "greeter", version, folder_hash(made)))
    return base64.b64encode(pack(made)).decode()


async def listed(client: Talker, component_id: str) -> dict[str, Any] | None:
    answer = await client.ask("request_components_list", component_type="modules")
    return next((item for item in answer["components"] if item["id"] == component_id), None)


async def until_listed(client: Talker, component_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (found := await listed(client, component_id)) is None:  # noqa: ASYNC110 - clients are told nothing
            await asyncio.sleep(0.2)
    return found


async def greet(client: Talker, job_id: str, **changes: Any) -> dict[str, Any]:
    workflow = chain(2, "greeter", name="Ada")
    await client.ask("execute_workflow", job_id=job_id, workflow_data=workflow, **changes)
    assert (await client.finish(job_id))["status_data"]["status"] == "SUCCEEDED"
    answer = await client.ask("request_connection_history", job_id=job_id, connection_id="e0")
    return answer["history"][0]["data"]


async def test_a_folder_dropped_into_a_running_engine_can_be_used(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        assert await listed(client, "greeter") is None
        folder(tmp_path / "components" / "greeter")
        found = await until_listed(client, "greeter")
        assert (found["is_installed"], found["is_core"]) == (True, False)
        assert await greet(client, "run-1") == {"text": "Hello, Ada!", "mode": "EXECUTE"}
        wrong = await client.ask("validate_workflow", workflow_data=chain(1, "greeter", times="often"))
        assert [(item["node_id"], item["field"]) for item in wrong["problems"]] == [("n0", "times")]
        lines = [frame["message"] for frame in client.frames if frame["type"] == "log"]
        assert any(line.startswith("Isolation: ") for line in lines)


async def test_a_published_component_with_a_dependency_runs_unmodified(tmp_path: Path) -> None:
    """Its folder is as its author wrote it; the stock page's button is the whole installation."""
    wheels = build_wheel(tmp_path / "wheels", "oldsaying", "1.2", "def say():\n    return 'Make hay'\n")
    folder(tmp_path / "components" / "greeter", NEEDS_A_PACKAGE, "oldsaying\n")
    async with engine(tmp_path, ENGINE_WHEELS_DIR=str(wheels)) as running, talker(running) as client:
        found = await until_listed(client, "greeter")
        assert (found["is_installed"], found["is_paused"]) == (False, True)
        answer = await client.ask("install_component", component_type="modules", component_id="greeter")
        assert (answer["success"], answer["is_installed"], answer["stage"]) == (True, True, "done"), answer
        stages = [frame["stage"] for frame in client.frames if frame["type"] == "component_install_status"]
        assert stages[0] == "checking"
        assert "requirements" in stages
        assert (await greet(client, "run-1"))["text"] == "Make hay, Ada!"
        assert (await greet(client, "run-2", mode="SIMULATE"))["mode"] == "SIMULATE"
    # after a restart it is there, and nothing is installed again
    async with engine(tmp_path) as running, talker(running) as client:
        assert (await greet(client, "run-3"))["text"] == "Make hay, Ada!"


async def test_install_update_and_remove_over_the_socket(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        first = package(tmp_path / "made")
        seen = await client.ask("inspect_component", package=first)
        assert (seen["component_id"], seen["author"], seen["refusal"]) == ("greeter", OWNER.address, None)
        assert await listed(client, "greeter") is None  # looking installs nothing
        assert (await client.ask("install_component", package=first))["version"] == "1.0.0"
        await save(client, "mine")
        newer = CODE.replace("Greeting {", "Now greeting {").replace("}!", "}, again!")
        update = package(tmp_path / "made", "1.1.0", code=newer)
        assert (await client.ask("inspect_component", package=update))["touches"] == ["mine"]
        answer = await client.ask("install_component", package=update)
        assert answer["touches"] == ["mine"]
        assert "mine" in answer["message"]
        assert (await greet(client, "run-new"))["text"] == "Hello, Ada, again!"
        assert await saved(client, "run-saved") == "Hello, Ada!"
        await save(client, "mine", based_on=1)
        assert await saved(client, "run-saved-again") == "Hello, Ada, again!"
        answer = await client.ask("uninstall_component", component_type="modules", component_id="greeter")
        assert (answer["success"], answer["is_installed"], answer["touches"]) == (True, False, ["mine"])
        assert await listed(client, "greeter") is None


async def save(client: Talker, name: str, **more: Any) -> None:
    workflow = chain(2, "greeter", name="Ada") | {"description": str(more)}
    signature = sign_preset(OWNER, workflow)
    answer = await client.ask("save_preset", name=name, workflow_data=workflow, signature=signature, **more)
    assert answer["type"] == "presets_list_response", answer


async def saved(client: Talker, job_id: str) -> str:
    await client.ask("execute_workflow", job_id=job_id, preset_name="mine")
    assert (await client.finish(job_id))["status_data"]["status"] == "SUCCEEDED"
    answer = await client.ask("request_connection_history", job_id=job_id, connection_id="e0")
    return answer["history"][0]["data"]["text"]


async def test_only_administrators_install(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        for command in ("install_component", "uninstall_component", "inspect_component"):
            answer = await client.ask(command, RUNNER, component_id="greeter", component_type="modules")
            assert answer["code"] == "FORBIDDEN"
            answer = await client.ask(command, ADMIN, component_id="greeter", component_type="modules")
            assert answer["code"] == "NOT_FOUND"


async def test_wrong_requests_are_refused(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for fields in ({}, {"package": "no base64!"}, {"component_id": "../x"}, {"package": "aGVsbG8="}):
            answer = await client.ask("install_component", component_type="modules", **fields)
            assert answer["code"] == "INVALID_REQUEST", fields
        await refuse_unsigned(running, client, tmp_path)


async def refuse_unsigned(running: Engine, client: Talker, tmp_path: Path) -> None:
    unsigned = base64.b64encode(pack(folder(tmp_path / "unsigned"))).decode()
    answer = await client.ask("install_component", component_type="modules", package=unsigned)
    assert answer["code"] == "FORBIDDEN"
    assert "signed" in answer["message"]
    assert dict(running.registry.shelf.broken) == {}
