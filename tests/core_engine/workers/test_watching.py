"""What can be seen of a run from outside: one trace over gateway, engine and worker, its id in every log, figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.ids import new_id
from shared.tracing import new_trace
from tests.core_engine.workers.conftest import Plant
from tests.gateway.support import Gateway, gui
from tests.support.otlp import Collecting, collecting, facts
from tests.support.platform import Platform, wait_for
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.workers import Worker, chain, doors, step, worker

TOKEN = "a token for the figures alone"
SERVICES = ("flowork-gateway", "flowork-engine", "flowork-worker")
CALLER = new_trace()
pytestmark = pytest.mark.timeout(400)


@dataclass
class Evidence:
    """What was left by one run of two steps, one at a worker that went well and one that failed there."""

    run: str
    collector: Collecting
    logs: dict[str, list[dict[str, Any]]]
    refused: list[int]
    figures: dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture(scope="module")
def evidence(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, redis: RedisServer
) -> Evidence:
    return asyncio.run(_gather(tmp_path_factory.mktemp("watched"), postgres, redis))


async def _gather(folder: Path, postgres: PostgresServer, redis: RedisServer) -> Evidence:
    run, plant = new_id(), Plant.of(folder, postgres, redis)
    async with collecting() as collector, doors() as web:
        watched = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "FLOWORK_METRICS_TOKEN": TOKEN}
        watched |= {"ENGINE_LOG_FORMAT": "json", "GATEWAY_LOG_FORMAT": "json", "NO_PROXY": "*"}
        async with _everything(plant, watched) as (platform, working):
            port = await asyncio.to_thread(_port, working)
            await asyncio.to_thread(_until_ready, port)
            workflow = chain(
                step(web, "good"), {**step(web, "bad"), "config_values": {"url": "http://127.0.0.1:1/"}}
            )
            async with gui(Gateway(platform.gateway_url, folder), platform.owner) as page:
                payload = {"type": "execute_workflow", "job_id": run, "workflow_data": workflow}
                frame = {"v": 2, "payload": payload, "traceparent": CALLER.traceparent}
                assert await page.call("execute_workflow", frame) == {"ok": True}
                await _ended(page, run)
            await collector.until(*SERVICES)
            figures, refused = await asyncio.to_thread(_figures, port)
        logs = {service.log.name.split("-")[0]: _lines(service.log) for service in platform.services}
        logs["worker"] = _lines(working.log)
    return Evidence(run, collector, logs, refused, figures)


@asynccontextmanager
async def _everything(plant: Plant, watched: dict[str, str]) -> AsyncIterator[tuple[Platform, Worker]]:
    platform = Platform(plant.folder, dict(watched))
    try:
        await asyncio.to_thread(platform.start_gateway)
        await asyncio.to_thread(platform.register_engine)
        shared = {name: plant.environment[name] for name in plant.environment if name != "GATEWAY_URL"}
        shared |= watched | {"FLOWORK_ENGINE_ID": platform.engine_id}
        platform.environment |= shared
        more = {"ENGINE_WORKER_HTTP_PORT": "0"}
        await asyncio.to_thread(platform.start_engine)
        with worker(plant.folder, shared, **more) as working:
            await asyncio.to_thread(platform.wait_online)
            yield platform, working
    finally:
        await asyncio.to_thread(platform.close)


async def _ended(page: Any, run: str) -> None:
    while True:
        told = await page.next("WORKFLOW_EXECUTION_UPDATE", job_id=run)
        if told["status_data"]["status"] in {"SUCCEEDED", "FAILED"}:
            return


def _port(working: Worker) -> int:
    def told() -> int | None:
        lines = [line for line in _lines(working.log) if line["message"] == "the worker tells how it stands"]
        return int(lines[0]["port"]) if lines else None

    return wait_for(told, "the worker's port")


def _until_ready(port: int) -> None:
    def ready() -> bool:
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10)
        assert (answer.status_code, answer.json()["status"]) in {(503, "starting"), (200, "ready")}
        return answer.status_code == 200

    wait_for(ready, "the worker to be ready")


def _figures(port: int) -> tuple[dict[tuple[str, tuple[str, ...]], float], list[int]]:
    url = f"http://127.0.0.1:{port}/metrics"
    refused = [httpx.get(url, timeout=10).status_code]
    refused += [httpx.get(url, headers={"Authorization": "Bearer x"}, timeout=10).status_code]
    text = httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(item.name, tuple(item.labels.values())): item.value for item in samples}, refused


def _lines(log: Path) -> list[dict[str, Any]]:
    lines = log.read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def test_gateway_engine_and_worker_are_in_the_trace_of_the_caller(evidence: Evidence) -> None:
    gateway, engine, worker = (evidence.collector.of(service) for service in SERVICES)
    (command,) = gateway
    assert (command["name"], command["parentSpanId"]) == ("execute_workflow", CALLER.span_id)
    root = next(span for span in engine if span["name"] == "run")
    assert root["parentSpanId"] == command["spanId"]
    steps = {facts(span)["flowork.node"]: span for span in engine if span is not root}
    assert {span["parentSpanId"] for span in steps.values()} == {root["spanId"]}
    assert {span["traceId"] for span in evidence.collector.spans} == {CALLER.trace_id}
    for span in worker:
        assert span["parentSpanId"] == steps[facts(span)["flowork.node"]]["spanId"]
        assert facts(span)["flowork.run"] == evidence.run
    outcomes = {facts(span)["flowork.node"]: facts(span)["flowork.outcome"] for span in worker}
    assert outcomes == {"good": "done", "bad": "failed"}
    assert facts(command) == {
        "flowork.engine": facts(command)["flowork.engine"], "flowork.run": evidence.run, "flowork.outcome": "ok",
    }  # fmt: skip


def test_no_data_of_the_workflow_is_in_a_span(evidence: Evidence) -> None:
    assert "127.0.0.1" not in json.dumps([span["attributes"] for span in evidence.collector.spans])


@pytest.mark.parametrize("service", ["gateway", "core_engine", "worker"])
def test_each_log_names_the_run(evidence: Evidence, service: str) -> None:
    told = [line["message"] for line in evidence.logs[service] if line.get("run") == evidence.run]
    expected = {
        "gateway": {"passed a command on"},
        "core_engine": {"a run was accepted", "a run has ended"},
        "worker": {"step done", "step failed"},
    }
    assert expected[service] <= set(told)


def test_a_worker_counts_what_it_does(evidence: Evidence) -> None:
    found = evidence.figures
    assert evidence.refused == [401, 401]
    assert found["flowork_worker_up", ()] == 1
    assert found["flowork_worker_processes", ()] == 2
    assert found["flowork_worker_steps_total", ("done",)] == 1
    assert found["flowork_worker_steps_total", ("failed",)] == 1
    assert found["flowork_worker_steps_total", ("crashed",)] == 0
    assert found["flowork_worker_step_duration_seconds_count", ("done",)] == 1
    assert found["flowork_worker_queue_wait_seconds_count", ()] == 2
    assert found["flowork_worker_queue_wait_seconds_sum", ()] < 3600
    assert found["flowork_worker_steps_held", ()] == 0
    assert found["flowork_worker_lease_losses_total", ()] == 0
    assert found["flowork_worker_restarts_total", ()] == 0
    assert found["flowork_worker_memory_bytes", ()] > found["process_resident_memory_bytes", ()]
