"""Test cases run with the shipped components: mocks, simulation, what is told of a difference."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from core_engine.flowtest.runner import run_files
from shared.contract.flow_test import CaseReport, FlowTestJob
from tests.core_engine.engine import engine, talker

ROOT = Path(__file__).resolve().parents[3]
ORDER = {
    "nodes": [
        {"id": "fetch", "name": "Fetch", "module_id": "http_request", "config_values": {"url": "http://127.0.0.1:9/"}},
        {"id": "add", "name": "Add", "module_id": "static_data_provider_module",
         "config_values": {"variables_to_set": [{"name": "who", "value": "{{vars.WHO}}"}]}},
        {"id": "save", "name": "Save", "module_id": "write_file", "config_values": {"path": "o.txt", "content": "x"}},
    ],
    "connections": [
        {"id": "f-a", "source": "fetch", "target": "add", "source_port_name": "success"},
        {"id": "a-s", "source": "add", "target": "save"},
    ],
}  # fmt: skip
MOCKS = {"fetch": {"success": {"data": {"total": 5}, "history": []}}}


async def run(*cases: dict[str, Any], workflow: dict[str, Any] = ORDER) -> list[CaseReport]:
    job = FlowTestJob.model_validate({"path": "x", "workflow": workflow, "cases": list(cases)})
    report = await run_files([job])
    return report.files[0].cases


async def test_cases_pass_and_fail_in_their_order() -> None:
    nodes = {"add": {"status": "SUCCESS", "data": {"total": 5, "who": "Ayu"}}, "save": {"status": "SUCCESS"}}
    good = {"name": "good", "mocks": MOCKS, "variables": {"WHO": "Ayu"}, "expect": {"nodes": nodes}}
    bad = {"name": "bad", "mocks": MOCKS, "variables": {"WHO": "Budi"}, "expect": {"nodes": nodes}}
    first, second = await run(good, bad)
    assert (first.passed, first.differences, first.problem) == (True, [], None)
    (difference,) = second.differences
    assert (difference.node_id, difference.path) == ("add", "data.who")
    assert (difference.expected, difference.actual) == ('"Ayu"', '"Budi"')


async def test_a_failing_mock_and_the_error_of_the_run() -> None:
    expect = {
        "status": "FAILED",
        "error": {"$contains": "no network"},
        "nodes": {"fetch": {"status": "ERROR", "error": "no network"}, "add": {"status": "SKIPPED"}},
    }
    case = {"name": "down", "mocks": {"fetch": {"error": "no network"}}, "expect": expect}
    assert [item.passed for item in await run(case)] == [True]
    (other,) = await run(case | {"expect": {}})
    assert [item.path for item in other.differences] == ["status", "error"]
    assert other.differences[1].actual == "Fetch: no network"


async def test_nothing_has_an_effect_unless_it_is_asked_for() -> None:
    read = {
        "nodes": [
            *ORDER["nodes"][2:],
            {"id": "read", "name": "Read", "module_id": "read_file", "config_values": {"path": "o.txt"}},
        ],
        "connections": [{"id": "s-r", "source": "save", "target": "read"}],
    }
    (simulated,) = await run({"name": "s", "expect": {"status": "FAILED"}}, workflow=read)
    assert simulated.passed, "nothing was written, so there is nothing to read"
    nodes = {"read": {"status": "SUCCESS"}}
    (executed,) = await run({"name": "e", "mode": "EXECUTE", "expect": {"nodes": nodes}}, workflow=read)
    assert executed.passed


async def test_what_cannot_be_run_is_a_problem_of_its_case() -> None:
    waits = {"nodes": [{"id": "w", "name": "W", "module_id": "delay", "config_values": {"seconds": 60}}]}
    cases = [
        {"name": "late", "mode": "EXECUTE", "timeout_seconds": 0.2},
        {"name": "matcher", "expect": {"nodes": {"w": {"data": {"$like": 1}}}}},
        {"name": "unknown", "mocks": {"nobody": {"success": 1}}},
        {"name": "ghost", "expect": {"nodes": {"ghost": {"status": "SUCCESS"}}}},
        {"name": "port", "expect": {"nodes": {"w": {"port": "left", "data": 1}}}},
    ]
    late, matcher, unknown, ghost, port = await run(*cases, workflow=waits)
    assert not any(case.passed for case in (late, matcher, unknown, ghost, port))
    assert "did not end within 0.2 s (w RUNNING)" in (late.problem or "")
    assert "no matcher $like" in (matcher.problem or "")
    assert "no node nobody" in (unknown.problem or "")
    assert ghost.differences[0].actual == "(missing)"
    assert port.differences[0].expected == "left"
    (broken,) = await run({"name": "b"}, workflow={"nodes": [{"id": "a", "module_id": "nothing"}]})
    assert "not installed" in (broken.problem or "")


def test_the_process_takes_files_and_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    def start(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "core_engine.flowtest"],
            input=text, capture_output=True, text=True, check=False, timeout=100, cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "ENGINE_SOCKET_PORT": "nonsense"},
        )  # fmt: skip

    case = {"name": "c", "mocks": MOCKS}
    done = start(json.dumps({"files": [{"path": "p", "workflow": ORDER, "cases": [case]}]}))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"][0]["cases"][0]["passed"] is True
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"
    for wrong in ("{", "[" * 500, json.dumps({"files": [{"path": "p"}]})):
        refused = start(wrong)
        assert (refused.returncode, refused.stdout) == (64, "")


async def test_a_test_made_from_a_run_passes_and_shows_no_secret(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for name, value, secret in (("WHO", "Ayu", False), ("KEY", "hush-hush-hush", True)):
            answer = await client.ask(
                "update_variable", name=name, data={"value": value, "is_secret": secret, "is_enabled": True}
            )
            assert answer["type"] == "variables_response", answer
        data = json.loads(json.dumps(ORDER))
        data["nodes"][1]["config_values"]["variables_to_set"].append({"name": "key", "value": "{{vars.KEY}}"})
        await client.ask("execute_workflow", job_id="r", workflow_data=data, pins=MOCKS)
        assert (await client.finish("r"))["status_data"]["status"] == "SUCCEEDED"
        made = (await client.ask("make_flow_test", job_id="r"))["flow_test"]
        assert (await client.ask("make_flow_test", job_id="x"))["code"] == "NOT_FOUND"
    assert "hush" not in json.dumps(made)
    (case,) = made["cases"]
    assert set(case["mocks"]) == {"fetch", "save"}
    assert case["expect"]["nodes"]["add"]["data"]["total"] == 5
    job = FlowTestJob.model_validate({"path": "x", **made})
    (report,) = (await run_files([job])).files[0].cases
    assert report.passed, report
