"""A preset's name travels as ``name``, although the classes themselves have a name."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.contract.preset import LoadedPreset, LoadPreset, PresetVersions
from shared.contract.variable import UpdateVariable


def test_commands_read_the_wire_name_and_keep_their_own() -> None:
    message = LoadPreset.model_validate({"name": "Daily", "version": 2})
    assert (message.preset, message.name, message.version) == ("Daily", "load_preset", 2)
    variable = UpdateVariable.model_validate({"name": "KEY", "data": {"value": 1}})
    assert (variable.variable, variable.name) == ("KEY", "update_variable")


def test_only_the_wire_name_counts() -> None:
    with pytest.raises(ValidationError) as caught:
        LoadPreset.model_validate({"preset": "Daily"})
    assert caught.value.errors()[0]["loc"] == ("name",)


def test_events_write_the_wire_name() -> None:
    event = PresetVersions(name="Daily", versions=[], intact=True)
    assert event.model_dump()["name"] == "Daily"
    assert PresetVersions.name == "preset_versions_response"
    assert PresetVersions.model_validate(event.model_dump()) == event


@pytest.mark.parametrize("model", [LoadPreset, LoadedPreset])
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_documents_show_the_wire_name(model, mode) -> None:
    schema = TypeAdapter(model).json_schema(mode=mode)
    assert "name" in schema["required"]
    assert "preset" not in schema["properties"]
