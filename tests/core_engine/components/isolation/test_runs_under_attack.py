"""Runs whose one step attacks: that step alone fails, the steps beside it and the next run do not notice."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contract.run import NodeStatus

ATTACKS = {
    "crash": "import ctypes\nctypes.string_at(0)",
    "exit": "import os\nos._exit(0)",
    "fork bomb": "import os\nwhile True:\n    os.fork()",
    "threads": "import threading\nwhile True:\n    threading.Thread(target=print).start()",
    "endless loop": "while True:\n    pass",
    "10 GB": "x = bytearray(10 << 30)",
    "memory piece by piece": "x = []\nwhile True:\n    x.append(bytearray(1 << 20))",
    "flood": "while True:\n    print('x' * 4000)",
    "large result": "result = 'x' * (50 << 20)",
    "password file": "result = open('/etc/passwd').read()",
    "engine's database": "result = open(args['database'], 'rb').read(16)",
    "environment": "import os\nresult = os.environ['FLOWORK_SECRET_OF_THE_ENGINE']",
    "kill the parent": "import os\nos.kill(os.getppid(), 9)",
    "trace the parent": (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "if libc.ptrace(16, os.getppid(), 0, 0) != 0:\n    raise PermissionError(ctypes.get_errno())"
    ),
    "socket": "import socket\nsocket.create_connection(('127.0.0.1', 1))",
    "write outside": "open(args['outside'], 'w').write('x')",
    "program": "import subprocess\nsubprocess.run(['/bin/sh', '-c', 'id'])",
}


def workflow(code: str, args: dict[str, str]) -> dict[str, Any]:
    """An attacking step and, after the same start, one that works; both under one run."""

    def node(id_: str, code: str, **config: Any) -> dict[str, Any]:
        values = {"python_code": code, "timeout_seconds": 2.0, "memory_mb": 64, **config}
        return {
            "id": id_,
            "name": id_,
            "module_id": "function_runner_module",
            "x": 0,
            "y": 0,
            "config_values": values,
        }

    def edge(source: str, target: str) -> dict[str, Any]:
        return {
            "id": f"{source}-{target}", "source": source, "target": target, "source_port_name": "success",
            "target_port_name": "input",
        }  # fmt: skip

    named = [{"name": name, "value": value} for name, value in args.items()]
    start = {
        "id": "start", "name": "start", "module_id": "static_data_provider_module", "x": 0, "y": 0,
        "config_values": {"variables": []},
    }  # fmt: skip
    return {
        "name": "attack",
        "nodes": [
            start, node("attack", code, args=named), node("beside", "result = sum(range(10))", timeout_seconds=60.0),
        ],
        "connections": [edge("start", "attack"), edge("start", "beside")],
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(ATTACKS))
async def test_an_attack_harms_its_own_step_alone(
    engine, tmp_path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("FLOWORK_SECRET_OF_THE_ENGINE", "secret")
    database = next((tmp_path / "data" / "engine").glob("*.db*"))
    outside = tmp_path / "files" / "made"
    args = {"database": str(database), "outside": str(outside)}
    details, frames = await engine.run(workflow(ATTACKS[name], args))
    ended = {node.node_id: node for node in details.nodes}
    assert ended["attack"].status is NodeStatus.ERROR, ended["attack"]
    assert ended["attack"].error
    assert ended["beside"].status is NodeStatus.SUCCESS, ended["beside"]
    assert not outside.exists()
    told = [frame["node_id"] for frame in frames if str(frame.get("message")).startswith("Isolation: ")]
    assert sorted(told) == ["attack", "beside"]
    again, _ = await engine.run(workflow("result = 'fine'", args))
    assert {node.status for node in again.nodes} == {NodeStatus.SUCCESS}
