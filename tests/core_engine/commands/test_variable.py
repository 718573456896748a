"""Variables on a real engine: listed without secrets, kept encrypted, used by runs, and never shown."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import logging
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from core_engine.variables.service import MOST_FORMER
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.engine import READER, RUNNER, Talker, admit, engine, talker

SECRET = 'sk-live "ü" 0123456789'


def tamper(folder: Path, sql: str, *parameters: Any) -> None:
    link = sqlite3.connect(folder / "engine" / "engine.db", timeout=10)
    with link:
        assert link.execute(sql, parameters).rowcount > 0
    link.close()


async def put(client: Talker, name: str, value: Any, **data: Any) -> dict[str, Any]:
    return await client.ask("update_variable", name=name, data={"value": value, **data})


def by_name(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert answer["type"] == "variables_response", answer
    return {item["name"]: item for item in answer["variables"]}


async def shown(client: Talker, text: str, job_id: str) -> Any:
    """Run a workflow that shows a text, and return what was shown, or the final error."""
    node = {"module_id": "debug_popup_module", "config_values": {"content": text}}
    await client.ask("execute_standalone_node", job_id=job_id, node_data=node)
    client.frames.clear()
    final = await client.finish(job_id)
    popups = [frame["content"] for frame in client.frames if frame["type"] == "SHOW_DEBUG_POPUP"]
    return popups[0] if popups else final["status_data"]["error_message"]


async def test_variables_are_listed_by_name_and_survive_a_restart(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        await put(client, "ZONE", {"a": [1, 2.5, None]})
        listed = by_name(await put(client, "CITY", "Bandung", is_enabled=False))
        assert list(listed) == ["CITY", "ZONE"]
        assert listed["ZONE"] == {
            "name": "ZONE", "value": {"a": [1, 2.5, None]}, "is_secret": False, "is_enabled": True,
            "mode": "single", "is_protected": False,
        }  # fmt: skip
        assert (await put(client, "CITY", 1))["type"] == "variables_response"
        for key in (RUNNER, READER):
            refused = await client.ask("update_variable", key, name="A", data={"value": 1})
            assert refused["code"] == "FORBIDDEN"
            assert "CITY" in by_name(await client.ask("request_variables", key))
    async with engine(tmp_path) as running, talker(running) as client:
        assert by_name(await client.ask("request_variables"))["CITY"]["value"] == 1
        assert list(by_name(await client.ask("delete_variable", name="CITY"))) == ["ZONE"]
        assert (await client.ask("delete_variable", name="CITY"))["code"] == "NOT_FOUND"


@pytest.mark.parametrize("name", ["", "city", "1A", "A-B", "A B", "Ä", "A" * 81, "A\n", 7, None])
async def test_other_names_are_refused(tmp_path: Path, name: Any) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        refused = await put(client, name, 1)
        assert refused["code"] == "INVALID_REQUEST"
        assert refused["details"][0]["field"] == "name"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"value": "", "is_secret": True}, "data.value"),
        ({"value": None, "is_secret": True}, "data.value"),
        ({"value": "x", "mode": "random"}, "data.value"),
        ({"value": [], "mode": "sequential"}, "data.value"),
        ({"value": list(range(1001)), "mode": "sequential"}, "data.value"),
        ({"value": "x" * 70_000}, "data.value"),
        ({"value": 1, "mode": "weekly"}, "data.mode"),
        ({"value": 1, "is_secret": "perhaps"}, "data.is_secret"),
        (None, "data"),
    ],
)
async def test_wrong_content_is_refused_by_field(tmp_path: Path, data: Any, field: str) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        refused = await client.ask("update_variable", name="A", data=data)
        assert (refused["code"], refused["details"][0]["field"]) == ("INVALID_REQUEST", field)
        assert by_name(await client.ask("request_variables")) == {}


async def test_a_secret_is_encrypted_never_listed_and_usable(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        listed = by_name(await put(client, "KEY", SECRET, is_secret=True))
        assert (listed["KEY"]["value"], listed["KEY"]["is_secret"]) == ("", True)
        assert (tmp_path / "engine" / "variables.key").stat().st_mode & 0o777 == 0o600
        assert running.rooms.variables.get("KEY", "").value == SECRET
    for path in (tmp_path / "engine").rglob("*"):
        if path.is_file():
            assert b"sk-live" not in path.read_bytes(), path
    async with engine(tmp_path) as running, talker(running) as client:
        found = running.rooms.variables.get("KEY", "")
        assert (found.value, found.secret) == (SECRET, True)


@pytest.mark.parametrize(
    "empty", ["", None, [], "CHANGE THIS API", {"type": "static", "value": "CHANGE THIS API"}]
)
async def test_an_empty_value_keeps_a_secret(tmp_path: Path, empty: Any) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await put(client, "KEY", [SECRET, "other-one"], is_secret=True, mode="sequential")
        kept = by_name(await put(client, "KEY", empty, is_secret=True, is_enabled=False, mode="single"))[
            "KEY"
        ]
        assert (kept["is_enabled"], kept["mode"]) == (False, "sequential"), "what is kept is kept whole"
        await put(client, "KEY", empty, is_secret=True)
        assert running.rooms.variables.get("KEY", "").value == SECRET
        refused = await put(client, "KEY", empty, is_secret=False)
        assert (refused["code"], refused["details"][0]["field"]) == ("INVALID_REQUEST", "data.is_secret")
        opened = by_name(await put(client, "KEY", "new", is_secret=False))["KEY"]
        assert (opened["value"], opened["is_secret"]) == ("new", False)


async def test_the_placeholder_of_some_clients_makes_no_variable(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        value = {"type": "static", "value": "CHANGE THIS API"}
        assert by_name(await put(client, "OPENAI_API_KEY", value)) == {}
        await put(client, "OPENAI_API_KEY", {"type": "static", "value": "real"})
        assert by_name(await put(client, "OPENAI_API_KEY", value))["OPENAI_API_KEY"]["value"] == "real"


async def test_runs_use_variables_and_those_switched_off_do_not_resolve(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await put(client, "CITY", "Bandung")
        await put(client, "OFF", "no", is_enabled=False)
        text = "{{vars.CITY}} {{vars.OFF}} {{vars.NONE}}"
        assert await shown(client, text, "r1") == "Bandung {{vars.OFF}} {{vars.NONE}}"
        await put(client, "CITY", {"typed": [1]})
        assert await shown(client, "{{ vars.CITY }}", "r2") == {"typed": [1]}


async def test_a_sequential_variable_goes_round_also_across_a_restart(tmp_path: Path) -> None:
    seen = []
    async with engine(tmp_path) as running, talker(running) as client:
        await put(client, "TURN", ["a", "b", "c"], mode="sequential")
        seen += [await shown(client, "{{vars.TURN}}", f"r{number}") for number in range(4)]
    async with engine(tmp_path) as running, talker(running) as client:
        seen += [await shown(client, "{{vars.TURN}}", f"s{number}") for number in range(3)]
        assert seen == ["a", "b", "c", "a", "b", "c", "a"]
        await client.ask("delete_variable", name="TURN")
        await put(client, "TURN", ["x", "y"], mode="sequential")
        assert await shown(client, "{{vars.TURN}}", "t") == "x", "a new one begins anew"


async def test_a_random_variable_gives_each_of_its_values(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await put(client, "ANY", ["a", "b"], mode="random")
        seen = {running.rooms.variables.get("ANY", "").value for _ in range(200)}
        assert seen == {"a", "b"}


async def test_a_secret_is_masked_in_popups_and_history_also_in_later_steps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nodes = [
        {"id": "set", "module_id": "static_data_provider_module", "config_values": {
            "variables_to_set": [{"name": "copy", "value": "{{vars.KEY}}"}]}},
        {"id": "show", "module_id": "debug_popup_module", "config_values": {}},
        {"id": "say", "module_id": "debug_popup_module", "config_values": {
            "popup_title": "{{ data.copy }}", "content": {"in": ["<{{ data.copy }}>"]}}},
    ]  # fmt: skip
    edges = [
        {"id": f"e{number}", "source": source["id"], "target": target["id"]}
        for number, (source, target) in enumerate(itertools.pairwise(nodes))
    ]
    with caplog.at_level(logging.INFO):
        async with engine(tmp_path) as running, talker(running) as client:
            await put(client, "KEY", SECRET, is_secret=True)
            await client.ask(
                "execute_workflow", job_id="r1", workflow_data={"nodes": nodes, "connections": edges}
            )
            await client.finish("r1")
            history = await client.ask("request_connection_history", job_id="r1", connection_id="e0")
            assert history["history"][0]["data"] == {"copy": "•••"}
            popups = [frame for frame in client.frames if frame["type"] == "SHOW_DEBUG_POPUP"]
            assert [popup["content"] for popup in popups] == [{"copy": "•••"}, {"in": ["<•••>"]}]
            assert popups[1]["title"] == "•••"
            told = json.dumps(client.frames, ensure_ascii=False)
    for text in ("sk-live", "0123456789", base64.b64encode(SECRET.encode()).decode()):
        assert text not in told
        assert text not in caplog.text


async def test_what_a_secret_was_before_stays_masked_in_old_runs(tmp_path: Path) -> None:
    node = {"id": "set", "module_id": "set_fields", "config_values": {
        "fields": [{"name": "copy", "value": "{{vars.KEY}}"}]}}  # fmt: skip
    show = {"id": "show", "module_id": "debug_popup_module", "config_values": {}}
    flow = {"nodes": [node, show], "connections": [{"id": "e", "source": "set", "target": "show"}]}

    async def kept(client: Talker) -> Any:
        answer = await client.ask("request_connection_history", job_id="old", connection_id="e")
        return answer["history"][0]["data"]["copy"]

    async with engine(tmp_path) as running, talker(running) as client:
        await put(client, "KEY", SECRET, is_secret=True)
        await client.ask("execute_workflow", job_id="old", workflow_data=flow)
        await client.finish("old")
        for value in (f"the-next-one-{number}" for number in range(MOST_FORMER - 1)):
            await put(client, "KEY", value, is_secret=True)
            assert await kept(client) == "•••"
        await put(client, "KEY", "everybody may read this", is_secret=False)
        assert await kept(client) == "•••"
        assert running.rooms.variables.get("KEY", "").value == "everybody may read this"
    assert b"sk-live" not in (tmp_path / "engine" / "variables.key").read_bytes()
    async with engine(tmp_path) as running, talker(running) as client:
        assert await kept(client) == "•••", "after a restart too"
        await put(client, "KEY", "a secret again", is_secret=True)
        await put(client, "KEY", "and another", is_secret=True)
        assert await kept(client) == SECRET, "the memory is bounded"


async def test_log_lines_of_steps_are_masked_in_every_spelling(tmp_path: Path) -> None:
    node = {"module_id": "function_runner_module", "config_values": {"python_code": CODE}}
    async with engine(tmp_path) as running, talker(running) as client:
        await put(client, "KEY", SECRET, is_secret=True)
        payload = {"data": {"copy": SECRET}}
        await client.ask("execute_standalone_node", job_id="r1", node_data=node, initial_payload=payload)
        await client.finish("r1")
        lines = [frame["message"] for frame in client.frames if frame["type"] == "log" and "node_id" in frame]
        assert lines, [frame for frame in client.frames if frame["type"] == "NODE_EXECUTION_METRIC"]
        told = "\n".join(lines)
        for spelling in (
            SECRET,
            SECRET.encode().hex(),
            base64.b64encode(SECRET.encode()).decode().rstrip("="),
        ):
            assert spelling not in told
        assert told.count("•••") == 3
        error = (await client.ask("get_run", job_id="r1"))["nodes"][0]["error"]
        assert "•••" in error
        assert "sk-live" not in error
        assert "sk-live" not in json.dumps(client.frames)


CODE = """
import base64

def run(payload, log):
    raw = payload["data"]["copy"].encode()
    log("plain " + raw.decode())
    log("hex " + raw.hex())
    log("base64 " + base64.b64encode(raw).decode())
    raise ValueError("error with " + raw.decode())
"""


async def test_a88_a_ciphertext_opens_only_under_its_own_name_and_owner(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for name in ("ONE", "TWO", "SAFE"):
            await put(client, name, f"value of {name}", is_secret=True)
    one = "(SELECT body FROM variable WHERE name = 'ONE')"
    tamper(tmp_path, f"UPDATE variable SET body = {one} WHERE name = 'TWO'")
    async with engine(tmp_path) as running, talker(running) as client:
        with pytest.raises(FloworkError) as caught:
            running.rooms.variables.get("TWO", "")
        assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
        told = await shown(client, "{{vars.TWO}}", "r1")
        assert "TWO cannot be decrypted" in told
        assert running.rooms.variables.get("SAFE", "").value == "value of SAFE", "the others are usable"
        assert len(by_name(await client.ask("request_variables"))) == 3
        await put(client, "TWO", "set anew", is_secret=True)
        assert running.rooms.variables.get("TWO", "").value == "set anew"


async def test_another_key_opens_nothing_and_the_setting_stands_for_the_file(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_MASTER_KEY="ab" * 32) as running, talker(running) as client:
        await put(client, "KEY", SECRET, is_secret=True)
        assert not (tmp_path / "engine" / "variables.key").exists()
    async with engine(tmp_path, ENGINE_MASTER_KEY="ab" * 32) as running:
        assert running.rooms.variables.get("KEY", "").value == SECRET
    async with engine(tmp_path, ENGINE_MASTER_KEY="cd" * 32) as running:
        with pytest.raises(FloworkError, match="cannot be decrypted"):
            running.rooms.variables.get("KEY", "")
    with pytest.raises(FloworkError, match="64 hex digits") as caught:
        async with engine(tmp_path, ENGINE_MASTER_KEY="hunter2"):
            pass
    assert caught.value.code is ErrorCode.CONFIGURATION


async def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await asyncio.gather(
            *(client.send("update_variable", name=f"V{n}", data={"value": n}) for n in range(20))
        )
        for _ in range(20):
            await client.next()
        assert len(by_name(await client.ask("request_variables"))) == 20
