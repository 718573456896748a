"""Secrets of webhooks that are written out: masked in everything a run shows, like those of secret variables."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from shared.ids import new_id
from shared.redact import MASK
from tests.core_engine.engine import Talker, engine, talker
from tests.core_engine.triggers.desk import flow, node, rule, save

SECRET = "correct-horse-battery"
OTHER = "staple-and-stapler"


def telling(text: str) -> dict[str, Any]:
    """A workflow that shows a text in a popup, and then fails with it."""
    popup = node("show", "debug_popup_module", popup_title=f"T {text}")
    return flow(popup, node("read", "read_file", path=f"{text}.txt"), links=(("show", "read"),))


async def shown(client: Talker, text: str) -> str:
    """Return everything that a run tells of itself."""
    job_id = new_id()
    await client.send("execute_workflow", job_id=job_id, workflow_data=telling(text))
    frames: list[str] = []

    def final(frame: dict[str, Any]) -> bool:
        frames.append(str(frame))
        return frame.get("status_data", {}).get("end_time") is not None

    await client.until(final)
    details = await client.ask("get_run", job_id=job_id)
    history = await client.ask("request_connection_history", job_id=job_id, connection_id="show-read")
    return " ".join([*frames, str(details["nodes"]), str(history)])


async def test_a_secret_in_a_rule_or_a_node_is_masked_until_it_is_gone(tmp_path: Path) -> None:
    hook = flow(node("hook", "webhook_trigger", auth="secret", secret=OTHER))
    encoded = base64.b64encode(SECRET.encode()).decode()
    async with engine(tmp_path) as of, talker(of) as client:
        assert SECRET in await shown(client, SECRET)
        await save(of, "flow", hook)
        made = await rule(of, "webhook", config={"secret": SECRET})
        for text in (SECRET, OTHER, encoded):
            told = await shown(client, text)
            assert MASK in told
            assert not any(secret in told for secret in (SECRET, OTHER, encoded)), text
    async with engine(tmp_path) as of, talker(of) as client:
        assert SECRET not in await shown(client, SECRET), "after a restart as well"
        await of.triggers.delete(made.id)
        assert SECRET in await shown(client, SECRET)
        assert OTHER not in await shown(client, OTHER)
