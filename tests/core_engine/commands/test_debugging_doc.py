"""The examples of docs/workflows/debugging.md, sent to a real engine in their order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from shared.signing.presets import sign_preset
from tests.core_engine.engine import OWNER, Talker, engine, talker

PAGE = Path(__file__).resolve().parents[3] / "docs" / "workflows" / "debugging.md"
DAILY = {
    "nodes": [
        {"id": name, "name": name, "module_id": "static_data_provider_module", "config_values": {}}
        for name in ("a", "b", "c")
    ],
    "connections": [
        {"id": "a-b", "source": "a", "target": "b"},
        {"id": "b-c", "source": "b", "target": "c"},
    ],
}


def examples() -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]


async def send(client: Talker, example: dict[str, Any]) -> dict[str, Any]:
    answer = await client.ask(example["type"], **{k: v for k, v in example.items() if k != "type"})
    assert answer["type"] != "error", answer
    return answer


async def nodes(client: Talker, job_id: str) -> dict[str, dict[str, Any]]:
    answer = await client.ask("get_run", job_id=job_id)
    return {node["node_id"]: node for node in answer["nodes"]}


async def stopped_at(client: Talker, name: str) -> None:
    """Wait for the event; it may have come before the answer to what led to it."""

    def hit(frame: dict[str, Any]) -> bool:
        return frame["type"] == "BREAKPOINT_HIT" and frame["connection_id"] == name

    if not any(map(hit, client.frames)):
        await client.until(hit)


async def test_the_examples_do_what_the_page_says(tmp_path: Path) -> None:
    whole, part, replay, pinned, pin, stored, halt, step, go = examples()
    async with engine(tmp_path) as running, talker(running) as client:
        signature = sign_preset(OWNER, DAILY)
        await client.ask("save_preset", name="Daily", workflow_data=DAILY, signature=signature)
        await client.ask("execute_workflow", job_id="first", preset_name="Daily")
        await client.finish("first")
        for example in (whole, part):
            await send(client, example)
            assert (await client.finish(example["new_job_id"]))["status_data"]["status"] == "SUCCEEDED"
        kept = {name: node.get("seeded_from") for name, node in (await nodes(client, "from-b")).items()}
        assert kept == {"a": "first", "b": None, "c": None}
        assert (await send(client, replay))["dry_run"] is True
        await send(client, pinned)
        await client.finish("pinned")
        assert (await nodes(client, "pinned"))["a"]["pinned"] is True
        assert (await send(client, pin))["pins"][0]["node_id"] == "a"
        await send(client, stored)
        await client.finish("stored")
        assert (await nodes(client, "stored"))["a"]["pinned"] is True
        await send(client, halt)
        await stopped_at(client, "a-b")
        await send(client, step)
        await stopped_at(client, "b-c")
        await send(client, go)
        assert (await client.finish("stopped"))["status_data"]["status"] == "SUCCEEDED"
