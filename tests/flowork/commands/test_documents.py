"""The verbs on saved workflows and variables against a real gateway and a real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.flowork.commands.conftest import Verb


def workflow(city: str) -> dict[str, Any]:
    value = {"variables_to_set": [{"name": "city", "value": city}]}
    node = {"id": "a", "name": "A", "module_id": "static_data_provider_module", "config_values": value}
    return {"nodes": [node], "connections": []}


def test_a_workflow_is_saved_run_changed_compared_restored_and_deleted(flowork: Verb, tmp_path: Path) -> None:
    file = tmp_path / "daily.json"
    file.write_text(json.dumps(workflow("Bandung")))
    for preset in json.loads(flowork("presets", "list", "--json").stdout):  # what others have left
        assert flowork("presets", "delete", preset["name"], "--yes").exit_code == 0
    assert "flowork presets save" in flowork("presets", "list").output
    assert "as version 1" in flowork("presets", "save", "Daily", str(file)).stdout
    assert json.loads(flowork("presets", "show", "Daily").stdout) == workflow("Bandung")
    ran = flowork("run", "--preset", "Daily")
    assert ran.exit_code == 0, ran.output
    assert "SUCCEEDED" in ran.output
    assert flowork("run").exit_code == 2
    assert flowork("run", str(file), "--preset", "Daily").exit_code == 2

    file.write_text(json.dumps(workflow("Surabaya")))
    assert "as version 2" in flowork("presets", "save", "Daily", str(file), "--based-on", "1").stdout
    assert flowork("presets", "save", "Daily", str(file), "--based-on", "1").exit_code == 73
    (change,) = json.loads(flowork("presets", "diff", "Daily", "1", "2", "--json").stdout)["changes"]
    assert (change["before"], change["after"]) == ("Bandung", "Surabaya")
    assert "Surabaya" in flowork("presets", "diff", "Daily", "1", "2").stdout
    assert "now version 3" in flowork("presets", "restore", "Daily", "1").stdout
    versions = json.loads(flowork("presets", "versions", "Daily", "--json").stdout)
    assert [item["version"] for item in versions["versions"]] == [3, 2, 1]
    assert versions["intact"]
    assert "v3" in flowork("presets", "list").stdout
    assert flowork("presets", "delete", "Daily", "--yes").exit_code == 0
    assert flowork("presets", "show", "Daily").exit_code == 66


def test_a_variable_is_set_listed_and_deleted_and_a_secret_is_not_shown(flowork: Verb) -> None:
    assert "flowork variables set" in flowork("variables", "list").output
    assert flowork("variables", "set", "CITY", "Bandung").exit_code == 0
    assert flowork("variables", "set", "TOKEN", "very secret", "--secret").exit_code == 0
    assert (
        flowork("variables", "set", "TURNS", "--json-value", "[1, 2]", "--mode", "sequential").exit_code == 0
    )
    shown = flowork("variables", "list").stdout
    assert "Bandung" in shown
    assert "very secret" not in shown
    listed = {item["name"]: item for item in json.loads(flowork("variables", "list", "--json").stdout)}
    assert listed["TOKEN"]["value"] == ""
    assert listed["TURNS"]["value"] == [1, 2]
    assert flowork("variables", "set", "CITY").exit_code == 65
    assert flowork("variables", "set", "lower", "x").exit_code == 65
    assert flowork("variables", "set", "CITY", "a", "--json-value", "1").exit_code == 65
    assert flowork("variables", "delete", "CITY").exit_code == 0
    assert flowork("variables", "delete", "CITY").exit_code == 66
