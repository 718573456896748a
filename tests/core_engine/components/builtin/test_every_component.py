"""What every shipped component keeps to: it loads by itself in a clean process, and names each wrong setting."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from core_engine.components.registry import BUILTIN, ComponentRegistry

ROOT = Path(__file__).parents[4]
NAMES = sorted(folder.name for folder in BUILTIN.iterdir() if (folder / "component.py").exists())
LOAD_EACH = """
import importlib, json, sys
failed = {}
for name in reversed(sys.argv[1:]):
    try:
        importlib.import_module(f"core_engine.components.builtin.{name}.component")
    except BaseException as error:
        failed[name] = repr(error)
print(json.dumps(failed))
"""


def test_all_load_in_a_clean_process() -> None:
    """In the other order than the registry's, so that none lives on what an earlier one has imported."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LOAD_EACH, *NAMES], cwd=ROOT, capture_output=True, check=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}, timeout=110,
    )  # fmt: skip
    assert json.loads(done.stdout) == {}


def test_each_schema_is_a_schema_and_takes_the_defaults(registry: ComponentRegistry) -> None:
    for info in registry.listing("modules"):
        schema = info.manifest.config_schema
        Draft202012Validator.check_schema(schema)
        assert set(schema.get("required", ())) == {
            item.id for item in info.manifest.properties if item.required
        }, info.id


def test_each_wrong_setting_is_named(registry: ComponentRegistry) -> None:
    for name in NAMES:
        component = registry.find(name)
        assert component is not None
        fields = component.config_model.model_fields
        if all(field.annotation is Any for field in fields.values()):
            continue  # no settings, or such as nothing is wrong for
        wrong: dict[str, Any] = dict.fromkeys(fields, object())
        with pytest.raises(ValidationError) as caught:
            component.parse_config(wrong)
        named = {item["loc"][0] for item in caught.value.errors() if item["loc"]}
        assert named, name
        assert named <= set(fields), name
