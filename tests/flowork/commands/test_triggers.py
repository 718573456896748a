"""The trigger verbs against a real gateway and a real engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from shared.clock import SystemClock
from shared.signing.envelope import seal
from shared.signing.presets import sign_preset
from tests.flowork.commands.conftest import Verb
from tests.support.platform import Platform

HELLO: dict[str, Any] = {
    "nodes": [{"id": "a", "name": "A", "module_id": "static_data_provider_module", "config_values": {}}],
    "connections": [],
}


@pytest.fixture
def saved(platform: Platform) -> str:
    """The name of a saved workflow."""
    payload = {"type": "save_preset", "name": "hello", "workflow_data": HELLO}
    payload["signature"] = sign_preset(platform.owner, HELLO)
    message = seal(platform.owner, platform.engine_id, payload, now_ms=SystemClock().now_ms())
    with connect(f"{platform.socket_url}/?engineId={platform.engine_id}") as socket:
        socket.send(message)
        while json.loads(socket.recv(30))["type"] != "presets_list_response":
            pass
    return "hello"


def test_a_rule_from_its_making_to_its_firing(flowork: Verb, platform: Platform, saved: str) -> None:
    assert "No trigger rules yet." in flowork("triggers", "list").output
    config = json.dumps({"cron_string": "@daily"})
    made = flowork(
        "triggers", "add", saved, "cron", "--name", "Nightly", "--config", config, "--policy", "single"
    )
    assert made.exit_code == 0, made.output
    assert "(Nightly) is on, next start" in made.stdout
    (rule,) = json.loads(flowork("triggers", "list", "--preset", saved, "--json").stdout)
    assert (rule["name"], rule["kind"], rule["policy"]["kind"]) == ("Nightly", "cron", "single")
    assert "Nightly" in flowork("triggers", "list").stdout
    starts = json.loads(flowork("triggers", "preview", "--limit", "3", "--json").stdout)
    assert [start["rule_id"] for start in starts] == [rule["id"]] * 3
    assert "is off" in flowork("triggers", "disable", rule["id"]).stdout
    assert "Nothing starts by time." in flowork("triggers", "preview").output
    assert "is on" in flowork("triggers", "enable", rule["id"]).stdout
    fired = json.loads(flowork("triggers", "fire", rule["id"], "--event", '{"x": 1}', "--json").stdout)
    assert fired["outcome"] == "started"
    assert fired["run_id"] in flowork("runs", "list").stdout
    assert flowork("triggers", "add", saved, "cron", "--config", "[").exit_code == 65
    assert flowork("triggers", "add", "nowhere", "manual").exit_code == 66
    assert flowork("triggers", "fire", "nowhere").exit_code == 66
