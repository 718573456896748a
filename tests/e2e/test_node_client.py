"""An independent client (ethers, ws) runs a workflow through the documented envelope; nothing of ours on its side."""

from __future__ import annotations

import json
from pathlib import Path

from shared.contract import catalog
from tests.support import node
from tests.support.platform import running_platform

WORKFLOW = {
    "nodes": [
        {
            "id": "seed",
            "name": "Seed",
            "x": 80,
            "y": 120,
            "module_id": "static_data_provider_module",
            "config_values": {"variables_to_set": [{"name": "city", "value": "Bandung"}]},
        },
        {
            "id": "show",
            "name": "Show",
            "x": 420,
            "y": 120,
            "module_id": "debug_popup_module",
            "config_values": {"popup_title": "Result"},
        },
    ],
    "connections": [
        {
            "id": "edge-1",
            "source": "seed",
            "target": "show",
            "source_port_name": "success",
            "target_port_name": "input",
            "type": "default",
            "animated": True,
        }
    ],
    "global_loop_config": {"isEnabled": False, "iterations": 1},
}


def test_node_client_runs_a_workflow(tmp_path: Path) -> None:
    file = tmp_path / "workflow.json"
    file.write_text(json.dumps(WORKFLOW))
    with running_platform(tmp_path / "data") as platform:
        key = platform.owner.private_key_hex()
        process = node.client("run_workflow.mjs", platform.socket_url, platform.engine_id, key, str(file))
        output, _ = process.communicate(timeout=100)
    assert process.returncode == 0, output
    frames = [
        frame for frame in map(json.loads, output.splitlines()) if frame["type"] != "engine_status_update"
    ]
    for frame in frames:
        catalog.events()[frame["type"]].model_validate(frame)
    told = [
        (frame["type"], frame.get("node_id") or frame.get("connection_id"), frame.get("status"))
        for frame in frames
    ]
    for before, after in [
        (("NODE_EXECUTION_METRIC", "seed", "RUNNING"), ("NODE_EXECUTION_METRIC", "seed", "SUCCESS")),
        (("NODE_EXECUTION_METRIC", "seed", "SUCCESS"), ("CONNECTION_STATUS_UPDATE", "edge-1", "ACTIVE")),
        (("CONNECTION_STATUS_UPDATE", "edge-1", "ACTIVE"), ("NODE_EXECUTION_METRIC", "show", "RUNNING")),
        (("NODE_EXECUTION_METRIC", "show", "RUNNING"), ("NODE_EXECUTION_METRIC", "show", "SUCCESS")),
    ]:
        assert told.index(before) < told.index(after)
    statuses = [
        frame["status_data"]["status"] for frame in frames if frame["type"] == "workflow_status_update"
    ]
    assert statuses[0] == "RUNNING"
    assert statuses[-1] == "SUCCEEDED"
    popup = next(frame for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP")
    assert popup["title"] == "Result"
    assert "Bandung" in json.dumps(popup["content"])
