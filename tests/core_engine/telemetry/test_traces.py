"""Traces of a real engine's runs, as a collector gets them over HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared import otlp
from shared.ids import new_id
from shared.otlp import Collector
from shared.tracing import new_trace, trace_id_of_run
from tests.core_engine.engine import chain, engine, talker, waiting
from tests.support.otlp import collecting, facts

FAILING = chain(1, "stop_with_error", message="a private reason")
LOOP = {
    "nodes": [
        {"id": "loop", "module_id": "for_each", "config_values": {"items": [1, 2, 3]}},
        {"id": "in", "module_id": "set_fields", "config_values": {"fields": []}, "parent_id": "loop"},
    ],
    "connections": [],
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "PERIOD_SECONDS", 0.05)


async def run_both(folder: Path, **environ: str) -> tuple[str, str]:
    """Run a workflow that ends well and one that fails; the engine has ended on return."""
    jobs = new_id(), new_id()
    async with engine(folder, GATEWAY_URL="", **environ) as running, talker(running) as owner:
        for job, workflow in zip(jobs, (chain(3), FAILING), strict=True):
            await owner.ask("execute_workflow", job_id=job, workflow_data=workflow)
            await owner.finish(job)
    return jobs


async def test_each_run_is_a_trace_with_a_span_for_each_attempt(tmp_path: Path) -> None:
    async with collecting() as collector:
        headers = "authorization=Bearer abc, x-team=a=b"
        good, bad = await run_both(
            tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_EXPORTER_OTLP_HEADERS=headers
        )
    of_good = [span for span in collector.spans if span["traceId"] == trace_id_of_run(good)]
    (root,) = (span for span in of_good if "parentSpanId" not in span)
    steps = [span for span in of_good if span is not root]
    assert facts(root) | {"flowork.mode": ""} == {
        "flowork.run": good, "flowork.mode": "", "flowork.status": "SUCCEEDED", "flowork.nodes": "3",
    }  # fmt: skip
    assert [facts(span)["flowork.node"] for span in steps] == ["n0", "n1", "n2"]
    assert {span["parentSpanId"] for span in steps} == {root["spanId"]}
    assert len({span["spanId"] for span in of_good}) == 4
    for span in of_good:
        assert len(span["traceId"]) == 32
        assert len(span["spanId"]) == 16
        begun, ended = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert int(root["startTimeUnixNano"]) - 10**9 < begun <= ended < int(root["endTimeUnixNano"]) + 10**9
        assert span["status"]["code"] == 1
    failed = [span for span in collector.spans if span["traceId"] == trace_id_of_run(bad)]
    assert {span["status"]["code"] for span in failed} == {2}
    assert "a private reason" not in json.dumps(collector.spans)
    assert collector.headers[0]["Authorization"] == "Bearer abc"
    assert collector.headers[0]["x-team"] == "a=b"


async def test_a_collector_that_refuses_or_is_away_changes_nothing(tmp_path: Path) -> None:
    async with collecting() as collector:
        collector.status = 503
        await run_both(tmp_path / "one", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        assert collector.came.is_set()
        assert collector.spans == []
    await run_both(tmp_path / "two", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)


async def test_without_a_collector_nothing_is_made(tmp_path: Path) -> None:
    async with engine(tmp_path, GATEWAY_URL="") as running:
        assert running._traces is None


def test_the_headers_are_read_as_the_standard_writes_them() -> None:
    assert Collector.of("http://c/", "") == Collector("http://c", {})
    assert Collector.of("http://c", "a=1,b = 2 ,junk").headers == {"a": "1", "b": "2"}


async def test_a_run_joins_the_trace_it_is_told_with_all_that_it_starts_also_after_a_restart(
    tmp_path: Path,
) -> None:
    asked, waits = new_trace(), waiting(0.3)
    jobs = new_id(), new_id()
    async with collecting() as collector:
        environ = {"GATEWAY_URL": "", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        async with engine(tmp_path, **environ) as running, talker(running) as owner:
            for job, workflow in zip(jobs, (LOOP, waits), strict=True):
                sealed = owner.sealed({"type": "execute_workflow", "job_id": job, "workflow_data": workflow})
                await owner.socket.send(f'{sealed[:-1]},"traceparent":"{asked.traceparent}"}}')
                if job == jobs[0]:
                    await owner.finish(job)
                else:
                    await owner.until(lambda frame: frame["type"] == "NODE_EXECUTION_METRIC")
        async with engine(tmp_path, **environ) as running, talker(running) as owner:
            await owner.ask("subscribe_run", job_id=jobs[1], after_seq=0)
            await owner.finish(jobs[1])
        runs = [span for span in collector.spans if span["name"] == "run"]
    assert {span["traceId"] for span in collector.spans} == {asked.trace_id}
    of_run = {facts(span)["flowork.run"]: span for span in runs}
    assert [of_run[job]["parentSpanId"] for job in jobs] == [asked.span_id] * 2
    children = [span for run, span in of_run.items() if run not in jobs]
    assert len(children) == 3
    assert {span["parentSpanId"] for span in children} == {of_run[jobs[0]]["spanId"]}
