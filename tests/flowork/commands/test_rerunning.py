"""``flowork runs rerun``, ``runs replay`` and ``test --from-run`` against a real gateway and a real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.flowork.commands.conftest import Verb


def node(node_id: str, module: str, **config: Any) -> dict[str, Any]:
    return {"id": node_id, "name": node_id, "module_id": module, "config_values": config}


FLOW = {
    "nodes": [
        node("seed", "static_data_provider_module", variables_to_set=[{"name": "city", "value": "Medan"}]),
        node("read", "read_file", path="not-there.txt"),
    ],
    "connections": [{"id": "s-r", "source": "seed", "target": "read"}],
}


def failed(flowork: Verb) -> str:
    """Run the flow, which fails; return its id."""
    Path("flow.json").write_text(json.dumps(FLOW))
    assert flowork("run", "flow.json").exit_code != 0
    return str(json.loads(flowork("runs", "list", "--limit", "1", "--json").stdout)[0]["job_id"])


def test_rerun_and_replay(flowork: Verb) -> None:
    old = failed(flowork)
    told = json.loads(flowork("runs", "rerun", old, "--from", "read", "--json").stdout)
    shown = json.loads(flowork("runs", "show", told["job_id"], "--json").stdout)
    assert [item.get("seeded_from") for item in shown["nodes"]] == [old, None]
    assert shown["run"]["origin"] == f"rerun:{old}"
    followed = flowork("runs", "rerun", old, "--follow")
    assert "seed" in followed.stdout
    other = failed(flowork)
    filters = ("--version", "same", "--error", "not-there", "--after", "2020-01-01", "--from-failed")
    dry = flowork("runs", "replay", *filters)
    assert dry.exit_code == 0, dry.output
    (line,) = [line for line in dry.stdout.splitlines() if line.startswith(other)]
    assert "would_start" in line
    done = json.loads(flowork("runs", "replay", *filters, "--execute", "--json").stdout)
    assert {run["outcome"] for run in done["runs"] if run["job_id"] == other} == {"started"}
    again = json.loads(flowork("runs", "replay", *filters, "--execute", "--json").stdout)
    assert not {run["outcome"] for run in again["runs"] if run["job_id"] == other} & {"started"}
    assert flowork("runs", "rerun", old, "--version", "latest").exit_code == 2
    assert "no preset" in flowork("runs", "rerun", old, "--version", "newest").stderr


def test_a_test_file_made_from_a_run_passes(flowork: Verb) -> None:
    old = failed(flowork)
    made = flowork("test", "--from-run", old, "-o", "made.flowtest.json")
    assert made.exit_code == 0, made.output
    result = flowork("test", "made.flowtest.json")
    assert (result.exit_code, result.stdout.count("  ok ")) == (0, 1), result.output
    printed = json.loads(flowork("test", "--from-run", old).stdout)
    assert printed == json.loads(Path("made.flowtest.json").read_text())
