"""What every shipped component keeps to: it loads in a clean process, names each wrong setting, and is shown well.

That each example runs, and that simulating it has no effect, is in test_examples.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from core_engine.components.registry import BUILTIN, ComponentRegistry
from core_engine.workflow.parse import check_workflow
from shared.contract.component import ComponentType

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


def test_the_engine_tells_a_wrong_setting_by_node_and_field(registry: ComponentRegistry) -> None:
    """What people see before a run: a problem for each wrong setting, with the place where it is."""
    for name in NAMES:
        component = registry.find(name)
        assert component is not None
        fields = component.config_model.model_fields
        node = {"id": "step", "name": "Step", "module_id": name, "x": 0, "y": 0, "config_values": {}}
        wrong = {**node, "config_values": {item: [{"nonsense": {}}] for item in fields}}
        required = {item for item, field in fields.items() if field.is_required()}
        told = [
            {
                item.field
                for item in check_workflow({"nodes": [given], "connections": []}, registry)
                if item.field
            }
            for given in (node, wrong)
        ]
        assert told[0] == required, name
        texts = {item for item, field in fields.items() if field.annotation in {str, int, float, bool}}
        assert texts <= told[1], name
        assert {item.partition(".")[0] for item in told[1]} <= set(fields), name


def test_each_icon_is_a_small_drawing_and_nothing_more(registry: ComponentRegistry) -> None:
    for name in NAMES:
        icon = registry.icon(name)
        assert icon is not None
        assert len(icon) < 8192, name
        drawing = ET.fromstring(icon)
        assert drawing.tag == "{http://www.w3.org/2000/svg}svg", name
        assert "viewBox" in drawing.attrib, name
        for element in drawing.iter():
            assert element.tag.rpartition("}")[2] not in {
                "script",
                "foreignObject",
                "image",
                "use",
                "style",
            }, name
            assert not [key for key in element.attrib if key.startswith("on") or "href" in key], name


def test_each_is_in_the_gallery_with_all_its_settings(registry: ComponentRegistry) -> None:
    pages = "\n".join(page.read_text("utf-8") for page in sorted((ROOT / "docs" / "components").glob("*.md")))
    for name in NAMES:
        component = registry.find(name)
        assert component is not None
        section = pages.partition(f"\n`{name}` {component.version}. ")[2].partition("\n## ")[0]
        assert component.description in section, name
        missing = [field for field in component.config_model.model_fields if f"| `{field}` |" not in section]
        assert not missing, (name, missing)


def test_each_example_shows_the_component_and_says_what_it_says(registry: ComponentRegistry) -> None:
    for name in NAMES:
        example = registry.example(name)
        assert example is not None
        nodes = {node["id"]: node for node in example["nodes"]}
        assert name in {node["module_id"] for node in nodes.values()}, name
        assert check_workflow(example, registry) == [], name
        for node in nodes.values():
            assert registry.find(node["module_id"]), name


def test_each_promises_something_and_has_ports_of_its_own(registry: ComponentRegistry) -> None:
    infos = [info for kind in get_args(ComponentType) for info in registry.listing(kind)]
    assert {info.id for info in infos} == set(NAMES)
    assert len(NAMES) >= 50
    for info in infos:
        manifest = info.manifest
        assert manifest.guarantee.endswith("."), info.id
        assert manifest.description.endswith("."), info.id
        for ports in (manifest.input_ports, manifest.output_ports):
            names = [port.name for port in ports]
            assert len(names) == len(set(names)), info.id
            assert all(port.display_name for port in ports), info.id
        assert all(item.description and item.label for item in manifest.properties), info.id
