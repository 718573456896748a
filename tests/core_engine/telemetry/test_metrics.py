"""What a real engine tells Prometheus of real work: signed runs that end well or not, refusals, its state."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.ids import new_id
from tests.core_engine.engine import STRANGER, chain, engine, talker

SECRET = "flork_sec_" + "7" * 64
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
BROKEN = {
    "nodes": [{"id": "a", "name": "A", "module_id": "stop_with_error", "config_values": {"message": "no"}}],
    "connections": [],
}


def samples(text: str) -> Samples:
    found = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(item.name, tuple(sorted(item.labels.items()))): item.value for item in found}


def figure(found: Samples, name: str, **labels: str) -> float:
    return found["flowork_engine_" + name, tuple(sorted(labels.items()))]


async def scrape(folder: Path) -> Samples:
    environ = {"GATEWAY_SECRET_TOKEN": SECRET, "GATEWAY_URL": ""}
    async with engine(folder, **environ) as running, talker(running) as owner:
        for workflow in (chain(3), BROKEN):
            job = new_id()
            await owner.ask("execute_workflow", job_id=job, workflow_data=workflow)
            await owner.finish(job)
        await owner.ask("list_runs", key=STRANGER)
        async with httpx.AsyncClient() as http:
            answer = await http.get(f"{running.address.http}/metrics", headers={"X-API-Key": SECRET})
    assert answer.status_code == 200
    return samples(answer.text)


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return asyncio.run(scrape(tmp_path_factory.mktemp("engine")))


def test_runs_and_their_steps_are_counted_and_timed(scraped: Samples) -> None:
    assert figure(scraped, "runs_started_total", mode="EXECUTE") == 2
    assert figure(scraped, "runs_finished_total", status="SUCCEEDED") == 1
    assert figure(scraped, "runs_finished_total", status="FAILED") == 1
    assert figure(scraped, "run_duration_seconds_count", status="SUCCEEDED") == 1
    assert figure(scraped, "step_duration_seconds_count", outcome="success") == 3
    assert figure(scraped, "step_duration_seconds_count", outcome="error") == 1


def test_signatures_and_commands_are_counted_by_outcome(scraped: Samples) -> None:
    assert figure(scraped, "verify_duration_seconds_count", outcome="ok") == 3
    assert 0 < figure(scraped, "verify_duration_seconds_sum", outcome="ok") < 60
    assert figure(scraped, "commands_total", outcome="ok") == 2
    assert figure(scraped, "commands_total", outcome="FORBIDDEN") == 1


def test_the_state_is_read_at_the_scrape(scraped: Samples) -> None:
    assert figure(scraped, "up") == 1
    assert figure(scraped, "role", role="leader") == 1
    assert figure(scraped, "role", role="standby") == 0
    assert figure(scraped, "connections") == 1
    assert figure(scraped, "open_runs") == 0
    assert figure(scraped, "owned") == 1
    assert figure(scraped, "link_up") == 0
    assert figure(scraped, "pages") == 0
    assert figure(scraped, "queue", queue="steps") == 0
    assert figure(scraped, "queue", queue="journal") == 0
    assert 0 < figure(scraped, "disk_free_bytes") <= figure(scraped, "disk_size_bytes")
    assert scraped["process_resident_memory_bytes", ()] > 0


def test_labels_have_few_values(scraped: Samples) -> None:
    """Neither ids nor addresses nor names may become labels: each value is a series for ever."""
    allowed = {"mode", "status", "outcome", "direction", "queue", "le", "version", "isolation", "role"}
    assert {name for _, labels in scraped for name, _ in labels} <= allowed
