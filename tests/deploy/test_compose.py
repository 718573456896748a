"""docker-compose.yml for real: images built, a signed run from outside, a container killed in the middle of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.stack import BUILD_SECONDS, CORE, GATEWAY, SCALE, Stack, running_stack
from tests.support.platform import ROOT, wait_for

STEPS = 6
pytestmark = [pytest.mark.timeout(BUILD_SECONDS + 600), pytest.mark.xdist_group("compose")]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(tmp_path_factory.mktemp("stack")) as stack:
        stack.flowork("claim", stack.claim_link())
        stack.wait_online()
        yield stack


def chain(folder: Path) -> str:
    """Write a workflow of steps that wait a second each."""
    nodes = [
        {"id": f"n{i}", "name": f"Step {i}", "module_id": "delay", "config_values": {"seconds": 1}}
        for i in range(STEPS)
    ]
    edges = [{"id": f"e{i}", "source": f"n{i}", "target": f"n{i + 1}"} for i in range(STEPS - 1)]
    path = folder / "chain.json"
    path.write_text(json.dumps({"nodes": nodes, "connections": edges}))
    return str(path)


def run_of(stack: Stack, job_id: str) -> dict[str, Any]:
    return dict(json.loads(stack.flowork("runs", "show", job_id, "--json")))


def finished_steps(run: dict[str, Any]) -> int:
    return sum(node["status"] == "SUCCESS" for node in run["nodes"])


def test_a_signed_workflow_runs_from_outside(stack: Stack) -> None:
    page = httpx.get(stack.settings["GATEWAY_PUBLIC_URL"], timeout=30)
    assert page.status_code == 200
    assert "/assets/" in page.text  # the web GUI is built in
    stack.flowork("run", str(ROOT / "examples" / "hello.json"))
    logs = stack.compose("logs", "--no-color")
    for name in (
        "GATEWAY_SECRET_TOKEN",
        "FLOWORK_ENGINE_TOKEN",
        "ENGINE_MASTER_KEY",
        "FLOWORK_METRICS_TOKEN",
    ):
        assert stack.settings[name] not in logs


def test_the_metrics_are_there_for_who_has_their_token(stack: Stack) -> None:
    url = f"{stack.settings['GATEWAY_PUBLIC_URL']}/metrics"
    assert httpx.get(url, timeout=30).status_code == 401
    bearer = {"Authorization": f"Bearer {stack.settings['FLOWORK_METRICS_TOKEN']}"}
    text = httpx.get(url, headers=bearer, timeout=30).text
    assert 'flowork_gateway_sockets{namespace="engine"} 1.0' in text


@pytest.mark.parametrize("overlay", ["deploy/observability/compose.yml", SCALE])
def test_compose_accepts_each_overlay(stack: Stack, overlay: str) -> None:
    told = replace(stack, files=[*stack.files, overlay]).compose("--profile", "scale", "config")
    assert "${" not in told
    assert stack.settings["FLOWORK_METRICS_TOKEN"] in told


@pytest.mark.parametrize("service", [GATEWAY, CORE])
def test_a_container_may_do_nothing_more_than_it_needs(stack: Stack, service: str) -> None:
    told = stack.inspect(service)
    host = told["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert not host["Privileged"]
    assert told["Config"]["User"] == "10001:10001"
    published = [place["HostIp"] for places in host["PortBindings"].values() for place in places]
    assert published == ["127.0.0.1"]
    names = {item.split("=", 1)[0] for item in told["Config"]["Env"]}
    assert not names & {"POSTGRES_PASSWORD", "CLOUDFLARED_TOKEN", "REDIS_PASSWORD"}
    assert ("FLOWORK_CLAIM_CODE" in names) == (service == CORE)


def test_a_run_outlives_its_engine_and_its_gateway(stack: Stack) -> None:
    job_id = json.loads(stack.flowork("run", chain(stack.folder), "--detach", "--json"))["job_id"]
    wait_for(lambda: finished_steps(run_of(stack, job_id)) >= 1, "the first step")
    stack.compose("kill", CORE)
    stack.compose("restart", GATEWAY)
    stack.compose("up", "-d")
    for service in (GATEWAY, CORE):
        stack.wait_healthy(service)
    stack.wait_online()
    assert stack.compose("logs", "--no-color", CORE).count("Claim this engine") == 1  # it is owned since
    wait_for(lambda: run_of(stack, job_id)["run"]["status"] == "SUCCEEDED", "the end of the run", 120)
    run = run_of(stack, job_id)
    assert finished_steps(run) == STEPS


def backup(stack: Stack, *words: str) -> dict[str, Any]:
    return dict(json.loads(stack.compose("run", "--rm", "-T", "flowork_backup", *words, "--json")))


def test_a_backup_is_made_beside_the_running_services(stack: Stack) -> None:
    made = backup(stack, "create", "/backup/flowork.tar.gz")
    assert made["databases"] == 3
    assert backup(stack, "verify", "/backup/flowork.tar.gz") == made


def test_a_backup_comes_back_onto_fresh_volumes(stack: Stack) -> None:
    """As after the loss of a machine: .env and the archive are all that is left."""
    before = json.loads(stack.flowork("runs", "list", "--json"))
    made = backup(stack, "create", "/backup/last.tar.gz")
    archive = stack.compose(
        "run", "--rm", "-T", "--entrypoint", "base64", "flowork_backup", "/backup/last.tar.gz"
    )
    stack.compose("--profile", "backup", "down", "--volumes", "--timeout", "20")
    place = "umask 077 && base64 -d > /backup/last.tar.gz"
    stack.compose("run", "--rm", "-T", "--entrypoint", "sh", "flowork_backup", "-c", place, given=archive)
    assert backup(stack, "restore", "/backup/last.tar.gz") == made
    stack.compose("up", "-d")
    stack.wait_online()
    assert json.loads(stack.flowork("runs", "list", "--json")) == before
    stack.flowork("run", str(ROOT / "examples" / "hello.json"))
