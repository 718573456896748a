"""The verbs against a real gateway and a real engine."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from flowork.client import Client
from shared.signing.keys import WalletKey
from tests.flowork.commands.conftest import Verb
from tests.support.platform import Platform


def node(node_id: str, module: str, **config: Any) -> dict[str, Any]:
    return {"id": node_id, "name": f"Node {node_id}", "module_id": module, "config_values": config}


def edge(source: str, target: str) -> dict[str, Any]:
    return {"id": f"{source}-{target}", "source": source, "target": target}


HELLO = {
    "nodes": [
        node("seed", "static_data_provider_module", variables_to_set=[{"name": "city", "value": "Bandung"}]),
        node("show", "debug_popup_module", popup_title="Result \x1b[31m"),
    ],
    "connections": [edge("seed", "show")],
}
BROKEN = {"nodes": [node("a", "no_such_module")], "connections": [edge("a", "ghost")]}
SLOW = {"nodes": [node("wait", "delay", seconds=60)], "connections": []}


def file(workflow: dict[str, Any]) -> str:
    path = Path("workflow.json")
    path.write_text(json.dumps(workflow))
    return str(path)


def test_engines_from_registration_to_deletion(flowork: Verb, platform: Platform) -> None:
    made = json.loads(flowork("engines", "register", "Spare", "--json").output)
    listed = json.loads(flowork("engines", "list", "--json").output)
    assert {(item["id"], item["status"]) for item in listed} == {
        (made["id"], "offline"),
        (platform.engine_id, "online"),
    }
    assert flowork("engines", "rename", "Spare", "Reserve").exit_code == 0
    renewed = flowork("engines", "reset-token", "Reserve")
    assert renewed.stdout.startswith("FLOWORK_ENGINE_TOKEN=dev_engine_")
    assert made["raw_token"] not in renewed.stdout
    assert "Reserve" in flowork("engines", "list").stdout
    assert flowork("engines", "delete", "Reserve", typed="n\n").exit_code == 130
    assert flowork("engines", "delete", "Reserve", "--yes").exit_code == 0
    assert flowork("engines", "delete", "Reserve", "--yes").exit_code == 66


def test_run_list_show(flowork: Verb) -> None:
    ran = flowork("run", file(HELLO), "--input", "a=1")
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[0] == "Run RUNNING"
    assert lines[-1] == "Run SUCCEEDED"
    assert "POPUP   Result \\x1b[31m" in lines
    assert "Bandung" in ran.stdout
    newest = json.loads(flowork("runs", "list", "--json", "--limit", "1").output)[0]
    assert newest["status"] == "SUCCEEDED"
    assert newest["job_id"] in flowork("runs", "list").stdout
    shown = flowork("runs", "show", newest["job_id"])
    assert "Node seed" in shown.stdout
    followed = flowork("runs", "show", newest["job_id"], "--follow", "--json")
    events = [json.loads(line) for line in followed.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["status_data"]["status"] == "SUCCEEDED"


def test_simulate_and_json_lines(flowork: Verb, platform: Platform) -> None:
    workflow = {"nodes": [node("w", "write_file", path="never.txt", content="x")], "connections": []}
    ran = flowork("run", file(workflow), "--simulate", "--json")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout.splitlines()[-1])["status_data"]["status"] == "SUCCEEDED"
    assert not list(platform.folder.rglob("never.txt"))


def test_what_cannot_run_says_why(flowork: Verb) -> None:
    checked = flowork("validate", file(BROKEN))
    assert checked.exit_code == 65
    assert "no_such_module" in checked.stdout
    assert len(json.loads(flowork("validate", file(BROKEN), "--json").output)["problems"]) >= 2
    ran = flowork("run", file(BROKEN))
    assert ran.exit_code == 65
    assert len(ran.stderr.splitlines()) == 1
    assert flowork("validate", file(HELLO)).exit_code == 0
    failing = {"nodes": [node("r", "read_file", path="nothing-here.txt")], "connections": []}
    failed = flowork("run", file(failing))
    assert failed.exit_code == 70
    assert "FAILED" in failed.stderr


def test_a_detached_run_is_stopped(flowork: Verb) -> None:
    job = flowork("run", file(SLOW), "--detach").stdout.strip()
    stopped = flowork("runs", "stop", job)
    assert stopped.stdout == f"Run {job} STOPPED\n"
    assert flowork("runs", "stop", "no-such-run").exit_code == 66


def test_a_run_asks_and_is_answered(flowork: Verb) -> None:
    ask = {"nodes": [node("ask", "manual_approval", title="Go?\x1b[31m")], "connections": []}
    for verb, done in (("approve", "approved"), ("reject", "rejected")):
        job = flowork("run", file(ask), "--detach").stdout.strip()
        while "WAITING" not in (shown := flowork("runs", "show", job).stdout):
            assert "RUNNING" in shown
        assert "Node ask waits for an answer: Go?\\x1b[31m (node ask)" in shown
        answered = flowork("runs", verb, job, "ask", "--comment", "as agreed")
        assert answered.stdout.startswith(f"{done.capitalize()}. Run {job} "), answered.output
        followed = flowork("runs", "show", job, "--follow").stdout.splitlines()
        assert "APPROVAL Go?\\x1b[31m" in followed
        assert followed[-1] == "Run SUCCEEDED"
        told = flowork("runs", "show", job).stdout
        assert f"Node ask: {done} by 0x" in told
        assert "as agreed" in told
        again = flowork("runs", verb, job, "ask", "--json")
        assert again.exit_code == 73
    unknown = flowork("runs", "approve", "no-such-run", "ask")
    assert unknown.exit_code == 66


def test_components(flowork: Verb) -> None:
    listed = json.loads(flowork("components", "--json").output)
    assert {"debug_popup_module", "read_file"} <= {item["id"] for item in listed}
    assert "debug_popup_module" in flowork("components").stdout


def test_a_stranger_gets_nothing(flowork: Verb, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWORK_PRIVATE_KEY", WalletKey(os.urandom(32)).private_key_hex())
    assert flowork("runs", "list").exit_code == 66
    direct = flowork("runs", "list", "--engine", platform.engine_id, "--socket", platform.socket_url)
    assert direct.exit_code == 77
    claimed = flowork("claim", f"{platform.gateway_url}/#claim=guess&engine={platform.engine_id}")
    assert claimed.exit_code in {66, 73}


def test_the_doctor_sees_it_all(flowork: Verb, platform: Platform) -> None:
    told = flowork("doctor", "--json")
    findings = {item["topic"]: item for item in json.loads(told.output)}
    assert findings["gateway"]["level"] == "ok"
    assert findings["engine"]["level"] == "ok"
    assert findings["link"]["level"] == "ok"
    assert findings["owner"]["text"] == platform.owner.address.lower()
    assert findings["clock"]["level"] == "ok"
    assert findings["isolation"]["text"]
    assert "gateway" in flowork("doctor").stdout


def test_the_client_follows_a_run_through_a_lost_connection(platform: Platform) -> None:
    steps = [node(f"n{i}", "delay", seconds=0.05) for i in range(6)]
    workflow = {"nodes": steps, "connections": [edge(f"n{i}", f"n{i + 1}") for i in range(5)]}
    with (
        Client(platform.gateway_url, platform.owner) as client,
        client.engine(platform.socket_url, platform.engine_id) as session,
    ):
        run = session.run(workflow, timeout_seconds=30)
        seqs, connections = [], []
        for event in run:
            seqs.append(event.seq)  # type: ignore[attr-defined]
            if len(seqs) in (3, 9):
                connections.append(session._socket._connection)
                connections[-1].socket.shutdown(2)
        assert len({id(item) for item in [*connections, session._socket._connection]}) == 3
        assert run.status == "SUCCEEDED"
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) >= 2 + 2 * 6 + 5


def test_two_sessions_at_once(platform: Platform) -> None:
    ended: list[str] = []

    def run_one() -> None:
        with (
            Client(platform.gateway_url, platform.owner) as client,
            client.engine(platform.socket_url, platform.engine_id) as session,
        ):
            ended.append(str(session.run(HELLO, timeout_seconds=30).wait().status))

    threads = [threading.Thread(target=run_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert ended == ["SUCCEEDED"] * 2
