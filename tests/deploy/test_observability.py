"""deploy/observability against what gateway and engine really tell: no query asks for what does not exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core_engine.http.status import EngineStatus
from core_engine.telemetry.gauges import Sources
from core_engine.telemetry.metrics import Metrics as EngineMetrics
from core_engine.telemetry.roles import RoleCollector, Seat
from core_engine.workers.figures import Figures
from core_engine.workers.notes import Note
from gateway.telemetry.counts import Counts as GatewayCounts
from gateway.telemetry.metrics import StateCollector
from shared.errors import ErrorCode
from tests.support.platform import ROOT

FOLDER = ROOT / "deploy" / "observability"
Series = dict[str, set[str]]
OF_PROMETHEUS: Series = {
    "up": {"job", "instance"},
    "process_resident_memory_bytes": {"job"},
    "process_cpu_seconds_total": {"job"},
}
_SELECTOR = re.compile(r"\b((?:flowork|process)_\w+|up\b)(?:\{([^}]*)\})?")
_GROUPING = re.compile(r"\bby \(([^)]*)\)")


class FrontFigures:
    """What a front counts."""

    linked = True

    def figures(self) -> dict[str, int]:
        return {"connections": 1, "forwarded": 2, "delivered": 3, "held": 0}


def of_engine() -> str:
    status = EngineStatus("e", "1", True, None, "connected", True, 1, 1, "landlock", 1.0)
    metrics = EngineMetrics()
    metrics.observe(
        Sources(
            status=lambda: status,
            parked_runs=int,
            running_steps=int,
            pages=int,
            queues=lambda: [("steps", 0), ("journal", 0)],
            triggers=lambda: [("started", 1)],
            folder=Path("/"),
            tasks=int,
            workers=lambda: [("waiting", 0), ("running", 0)],
        )
    )
    metrics.show(RoleCollector(Seat(FrontFigures())))
    counts = metrics.counts
    counts.verified(0.1, "ok")
    counts.answered(ErrorCode.FORBIDDEN.value)
    counts._started.add("EXECUTE")
    counts._finished.add("FAILED")
    counts._run_seconds.add("FAILED", 1)
    return metrics.exposition().decode()


def of_gateway() -> str:
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: True))
    counts = GatewayCounts(registry)
    counts.requested("list_engines", 200, 0.1)
    counts.verified("wallet", "ok", 0.1)
    for namespace in ("/gui-socket", "/engine-socket"):
        counts.connecting(namespace, "ok")
        counts.received(namespace, "ok")
    return generate_latest(registry).decode()


def of_worker() -> str:
    figures = Figures("1", 2, lambda: True)
    figures.hear(Note(1, 0))
    figures.hear(Note(1, 0, "done", seconds=1))
    return figures.exposition().decode()


def told(text: str) -> Series:
    """Return every series of an exposition with the names of its labels."""
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if not sample.name.endswith("_created"):
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture(scope="module")
def series() -> Series:
    own = told(of_engine()) | told(of_gateway()) | told(of_worker())
    assert all(name.startswith(("flowork_", "process_")) for name in own)
    return {name: labels | {"job", "instance"} for name, labels in own.items()} | OF_PROMETHEUS


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return list(group["rules"])


def panels() -> list[dict[str, Any]]:
    return list(json.loads((FOLDER / "grafana" / "flowork.json").read_text())["panels"])


def queries() -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def test_every_query_asks_for_what_is_there(series: Series) -> None:
    seen = 0
    for query in queries():
        selectors = _SELECTOR.findall(query)
        assert selectors, query
        for name, matchers in selectors:
            assert name in series, f"{name} in {query}"
            wanted = set(re.findall(r"(\w+)(?:=~|!=|!~|=)", matchers))
            assert wanted <= series[name], query
            seen += 1
        grouped = {label.strip() for group in _GROUPING.findall(query) for label in group.split(",")}
        for label in grouped:
            assert any(label in series[name] for name, _ in selectors), query
    assert seen > 40


def test_what_an_alert_says_is_whole() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names)) > 8
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert len(rule["annotations"]["summary"]) > 10
        assert len(rule["annotations"]["description"]) > 20


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


def families(names: Iterable[str]) -> set[str]:
    own = (name for name in names if name.startswith("flowork_"))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in own}


def test_the_page_names_every_figure_with_its_labels(series: Series) -> None:
    rows = re.findall(
        r"^\| `(flowork_\w+)` \|([^|]*)\|", (ROOT / "docs/observability.md").read_text(), re.MULTILINE
    )
    assert {name for name, _ in rows} == families(series)
    for name, listed in rows:
        real = set().union(*(series[other] for other in series if families([other]) == {name}))
        assert set(re.findall(r"`(\w+)`", listed)) == real - {"le", "job", "instance"}, name


def test_prometheus_reads_where_the_containers_listen() -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    (workers,) = jobs.pop("flowork-worker")["dns_sd_configs"]
    targets = {name: job["static_configs"][0]["targets"] for name, job in jobs.items()}
    assert targets == {"flowork-gateway": ["gateway:8000"], "flowork-engine": ["engine:8989"]}
    overlay = yaml.safe_load((FOLDER / "compose.yml").read_text())["services"]
    prometheus = overlay["flowork_prometheus"]
    for job in config["scrape_configs"]:
        assert job["authorization"]["credentials_file"] in prometheus["command"][0]
    base = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert "gateway" in base["flowork_gateway"]["networks"]["flowork-net"]["aliases"]
    assert "engine" in base["flowork_core"]["networks"]["flowork-net"]["aliases"]
    assert workers["names"] == ["flowork_worker"]
    worker = base["flowork_worker"]
    assert workers["port"] == worker["environment"]["ENGINE_WORKER_HTTP_PORT"]
    assert f"127.0.0.1:{workers['port']}/healthz" in worker["healthcheck"]["test"][-1]
    assert "ports" not in worker
    assert overlay["flowork_core"]["environment"]["ENGINE_HTTP_HOST"] == "0.0.0.0"
    assert overlay["flowork_worker"]["environment"]["ENGINE_WORKER_HTTP_HOST"] == "0.0.0.0"
    for service in ("flowork_prometheus", "flowork_grafana"):
        assert all(":-127.0.0.1:" in port for port in overlay[service]["ports"])
        for volume in overlay[service]["volumes"]:
            source = volume.split(":")[0]
            assert not source.startswith(".") or (ROOT / source).is_file(), source


def test_prometheus_itself_accepts_the_rules() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("Prometheus is not installed: promtool was not found")
    command = [program, "check", "rules", str(FOLDER / "alerts.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
