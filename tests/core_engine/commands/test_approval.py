"""Approval on a real engine: the request, the signed answer and who may give it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from shared.signing.recover import recover_text
from tests.core_engine.commands.test_run import whole
from tests.core_engine.engine import (
    ADMIN,
    OWNER,
    READER,
    RUNNER,
    STRANGER,
    Talker,
    admit,
    engine,
    talker,
)

ASK: dict[str, Any] = {
    "nodes": [
        {"id": "ask", "name": "Ask", "module_id": "manual_approval", "config_values": {"title": "Go?"}},
        {"id": "yes", "name": "Yes", "module_id": "debug_popup_module", "config_values": {}},
        {"id": "no", "name": "No", "module_id": "debug_popup_module", "config_values": {}},
    ],
    "connections": [
        {"id": "y", "source": "ask", "target": "yes", "source_port_name": "approved"},
        {"id": "n", "source": "ask", "target": "no", "source_port_name": "rejected"},
    ],
}


async def asked(client: Talker, job_id: str = "r1") -> dict[str, Any]:
    await client.send("execute_workflow", job_id=job_id, workflow_data=ASK)
    return await client.until(lambda frame: frame["type"] == "MANUAL_APPROVAL_REQUESTED")


def node(details: dict[str, Any], node_id: str = "ask") -> dict[str, Any]:
    return next(item for item in details["nodes"] if item["node_id"] == node_id)


async def test_a_request_is_approved_and_the_proof_is_kept(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        request = await asked(client)
        assert (request["title"], request["node_id"], request["workflow_context_id"]) == ("Go?", "ask", "r1")
        waiting = await client.ask("get_run", job_id="r1")
        assert node(waiting)["waiting"]["id"] == request["approval_id"]
        assert "answered_by" not in node(waiting)
        fields = {"job_id": "r1", "node_id": "ask", "approval_id": request["approval_id"]}
        answer = await client.ask("approve_manual", comment="fine", **fields)
        assert answer["type"] == "run_response"
        assert (await client.finish("r1"))["status_data"]["status"] == "SUCCEEDED"
        whole(client, "r1")
        told = await client.ask("get_run", job_id="r1")
        proof = node(told)["answered_by"]
        assert (proof["address"], proof["approved"], proof["comment"]) == (
            OWNER.address.lower(),
            True,
            "fine",
        )
        assert recover_text(proof["message"], proof["signature"]) == proof["signer"] == proof["address"]
        assert proof["bound"]
        assert hashlib.sha256(proof["payload"].encode()).hexdigest() == proof["message"].rsplit("|", 1)[1]
        assert json.loads(proof["payload"])["type"] == "approve_manual"
        assert [node(told, name)["status"] for name in ("yes", "no")] == ["SUCCESS", "SKIPPED"]
        again = await client.ask("reject_manual", job_id="r1", node_id="ask")
        assert (again["type"], again["code"]) == ("error", "CONFLICT")


async def test_a_rejection_after_a_restart(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        request = await asked(client)
    async with engine(tmp_path) as running, talker(running) as client:
        await client.send("subscribe_run", job_id="r1")
        again = await client.until(lambda frame: frame["type"] == "MANUAL_APPROVAL_REQUESTED")
        assert again == request
        await client.ask("reject_manual", job_id="r1", node_id="ask")
        assert (await client.finish("r1"))["status_data"]["status"] == "SUCCEEDED"
        whole(client, "r1")
        told = await client.ask("get_run", job_id="r1")
        assert [node(told, name)["status"] for name in ("yes", "no")] == ["SKIPPED", "SUCCESS"]


async def test_who_may_answer(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running, runner=True)
        await asked(client)
        answer = {"job_id": "r1", "node_id": "ask"}
        assert (await client.ask("approve_manual", STRANGER, **answer))["code"] == "FORBIDDEN"
        assert (await client.ask("approve_manual", READER, **answer))["code"] == "FORBIDDEN"
        assert (await client.ask("approve_manual", RUNNER, **answer))["code"] == "NOT_FOUND"
        assert (await client.ask("approve_manual", ADMIN, **answer))["type"] == "run_response"
        await client.finish("r1")
        told = await client.ask("get_run", job_id="r1")
        assert node(told)["answered_by"]["address"] == ADMIN.address.lower()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"node_id": "ask"}, "INVALID_REQUEST"),
        ({"job_id": "r1"}, "INVALID_REQUEST"),
        ({"job_id": "r1", "node_id": "ask", "comment": "x" * 2001}, "INVALID_REQUEST"),
        ({"job_id": "r1", "node_id": "ask", "padding": "x" * 20_000}, "INVALID_REQUEST"),
        ({"job_id": "r1", "node_id": "yes"}, "CONFLICT"),
        ({"job_id": "r1", "node_id": "none"}, "NOT_FOUND"),
        ({"job_id": "r1", "node_id": "ask", "approval_id": "other"}, "CONFLICT"),
        ({"job_id": "r2", "node_id": "ask"}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_answered(tmp_path: Path, fields: dict[str, Any], code: str) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await asked(client)
        assert (await client.ask("approve_manual", **fields))["code"] == code
        assert node(await client.ask("get_run", job_id="r1"))["status"] == "WAITING"
