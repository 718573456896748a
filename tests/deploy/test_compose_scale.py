"""The scale profile for real: several gateway processes and workers, each of them killed or restarted during runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.stack import BUILD_SECONDS, CORE, GATEWAY, Stack, running_stack
from tests.support.platform import wait_for

WORKER, REDIS, POSTGRES = "flowork_worker", "flowork_redis", "flowork_postgres"
STEPS, RUNS, WORKERS = 5, 6, 3
pytestmark = [pytest.mark.timeout(BUILD_SECONDS + 1200), pytest.mark.xdist_group("compose")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack"), workers=WORKERS) as stack:
        stack.flowork("claim", stack.claim_link())
        stack.wait_online()
        yield stack


def slow_runs(stack: Stack) -> list[str]:
    """Start runs whose steps are code that takes a moment, as workers get them; return their ids."""
    code = "import time\ndef run(payload, log):\n    time.sleep(1.5)\n    return {'data': payload}\n"
    nodes = [
        {
            "id": f"n{i}",
            "name": f"Step {i}",
            "module_id": "function_runner_module",
            "config_values": {"python_code": code},
        }
        for i in range(STEPS)
    ]
    edges = [{"id": f"e{i}", "source": f"n{i}", "target": f"n{i + 1}"} for i in range(STEPS - 1)]
    path = stack.folder / "slow.json"
    path.write_text(json.dumps({"nodes": nodes, "connections": edges}))
    return [json.loads(stack.flowork("run", str(path), "--detach", "--json"))["job_id"] for _ in range(RUNS)]


def details(stack: Stack, job_id: str) -> dict[str, Any]:
    return dict(json.loads(stack.flowork("runs", "show", job_id, "--json")))


def done(run: dict[str, Any]) -> int:
    return sum(node["status"] == "SUCCESS" for node in run["nodes"])


def wait_for_success(stack: Stack, jobs: list[str]) -> None:
    for job in jobs:
        wait_for(lambda job=job: details(stack, job)["run"]["status"] != "RUNNING", "the end of a run", 240)
    ended = [details(stack, job) for job in jobs]
    assert [run["run"]["status"] for run in ended] == ["SUCCEEDED"] * len(jobs), ended
    assert [done(run) for run in ended] == [STEPS] * len(jobs)


def test_workers_carry_the_steps_out(stack: Stack) -> None:
    jobs = slow_runs(stack)
    wait_for_success(stack, jobs)
    logs = stack.compose("logs", "--no-color", WORKER)
    assert "Traceback" not in logs
    assert "args" not in logs  # tickets are sealed; they are for nobody's log
    told = {line.split("|")[0].strip() for line in logs.splitlines() if "|" in line}
    assert len(told) == WORKERS


def health(stack: Stack, container: str) -> str:
    return stack.docker("inspect", "--format", "{{.State.Health.Status}}", container).strip()


def test_each_worker_is_healthy_and_tells_its_figures_to_who_has_the_token(stack: Stack) -> None:
    containers = stack.compose("ps", "-q", WORKER).split()
    assert len(containers) == WORKERS
    for container in containers:
        wait_for(lambda container=container: health(stack, container) == "healthy", "a healthy worker", 180)
    code = (
        "import os, urllib.request as u\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['FLOWORK_METRICS_TOKEN']}\n"
        "print(u.urlopen(u.Request('http://127.0.0.1:8990/metrics', headers=headers)).read().decode())\n"
    )
    told = [stack.docker("exec", container, "python", "-c", code) for container in containers]
    done = re.findall(r'flowork_worker_steps_total\{outcome="done"\} (\d+)', "\n".join(told))
    assert sum(map(int, done)) >= STEPS * RUNS


def test_runs_outlive_a_worker_redis_postgres_and_the_gateway(stack: Stack) -> None:
    jobs = slow_runs(stack)
    wait_for(lambda: any(done(details(stack, job)) for job in jobs), "the first step", 120)
    victim = stack.compose("ps", "-q", WORKER).split()[0]
    stack.docker("kill", victim)
    stack.compose("restart", REDIS)
    stack.compose("restart", POSTGRES)
    stack.compose("restart", GATEWAY)
    for service in (REDIS, POSTGRES, GATEWAY, CORE):
        stack.wait_healthy(service)
    stack.wait_online()
    wait_for_success(stack, jobs)
    listed = json.loads(stack.flowork("runs", "list", "--json", "--limit", "100"))
    assert len(listed) == len({run["job_id"] for run in listed}) == 2 * RUNS
