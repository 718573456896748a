from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from core_engine.components.registry import BUILTIN, ComponentRegistry, Services, open_registry
from core_engine.components.state import ComponentState
from core_engine.settings import PREFIXES, EngineSettings
from core_engine.triggers.rules import KINDS
from shared.clock import ManualClock, SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.settings import load

SHIPPED = sorted(folder.name for folder in BUILTIN.iterdir() if (folder / "component.py").is_file())

GOOD = '''
from core_engine.kernel.component import Component
from core_engine.kernel.payload import Result

class Mine(Component):
    """Mine."""
    id = "mine"
    name = "Mine"
    description = "Mine."
    category = "Test"
    def execute(self, context, config, payload):
        return Result({"success": payload})
'''


@pytest.fixture
def services(state: ComponentState, clock: ManualClock) -> Services:
    return Services(Sandbox(most=Bounds(1, 16)), NetworkPolicy(), state, clock)


def put(parent: Path, name: str, code: str = GOOD) -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    (folder / "component.py").write_text(code)
    (folder / "icon.svg").write_text("<svg/>")
    (folder / "example.json").write_text('{"nodes": []}')
    return folder


def test_every_shipped_component_is_there_and_whole(registry: ComponentRegistry) -> None:
    assert dict(registry.broken) == {}
    listed = [*registry.listing("modules"), *registry.listing("triggers")]
    assert sorted(info.id for info in listed) == SHIPPED
    assert len(SHIPPED) > 70
    for info in listed:
        component = registry.find(info.id)
        assert component is not None
        assert component.id == info.id
        assert (registry.icon(info.id) or b"").startswith(b"<svg")
        assert registry.example(info.id)
        assert info.manifest.icon_file == "icon.svg"
    assert registry.listing("plugins") == []


def test_the_triggers_are_nodes_without_inputs(registry: ComponentRegistry) -> None:
    listed = registry.listing("triggers")
    assert {info.id.removesuffix("_trigger") for info in listed} == set(KINDS)
    for info in listed:
        assert info.manifest.type == "TRIGGER"
        assert info.manifest.input_ports == []
        assert [port.name for port in info.manifest.output_ports] == ["output", "error"]
        assert (registry.example(info.id) or {})["initial_payload"]


def test_listings_are_sorted_by_name(registry: ComponentRegistry) -> None:
    names = [info.name.casefold() for info in registry.listing("modules")]
    assert names == sorted(names)


def test_what_is_unknown_is_none(registry: ComponentRegistry) -> None:
    assert registry.find("no_such_thing") is None
    assert registry.icon("../registry") is None
    assert registry.example("no_such_thing") is None


def test_a_component_outside_the_package_is_found(services: Services, tmp_path: Path) -> None:
    put(tmp_path, "mine")
    registry = ComponentRegistry(services, [BUILTIN, tmp_path])
    assert registry.find("mine") is not None
    listed = len(registry.listing("modules")) + len(registry.listing("triggers"))
    assert listed == len(SHIPPED) + 1


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda folder: (folder / "component.py").write_text("raise RuntimeError('no')"), "RuntimeError: no"),
        (lambda folder: (folder / "component.py").write_text("def ("), "SyntaxError"),
        (lambda folder: (folder / "component.py").write_text("import no_such_module"), "ModuleNotFoundError"),
        (lambda folder: (folder / "component.py").write_text(""), "holds 0 components"),
        (
            lambda folder: (folder / "component.py").write_text(GOOD + GOOD.replace("Mine", "Other")),
            "holds 2 components",
        ),
        (
            lambda folder: (folder / "component.py").write_text(GOOD.replace('"mine"', '"other"')),
            "its id is 'other'",
        ),
        (
            lambda folder: (folder / "component.py").write_text(GOOD.replace('"Mine."', '""')),
            "no description",
        ),
        (
            lambda folder: (folder / "component.py").write_text(
                GOOD + "    def __init__(self, vault): pass\n"
            ),
            "asks for 'vault'",
        ),
        (
            lambda folder: (folder / "component.py").write_text(
                GOOD.replace("import Component", "import Component, StepPolicy")
                + "    policy = StepPolicy.ONCE\n"
            ),
            "no simulate",
        ),
        (
            lambda folder: (folder / "component.py").write_text(GOOD + "    raw_fields = frozenset({'x'})\n"),
            "raw_fields",
        ),
        (
            lambda folder: (folder / "component.py").write_text(
                GOOD.replace("import Component", "import Component, Config")
                + "    class Settings(Config):\n        size: int = 1\n    config_model = Settings\n"
            ),
            "size has no description",
        ),
        (lambda folder: (folder / "component.py").unlink(), "component.py is missing"),
        (lambda folder: (folder / "icon.svg").unlink(), "icon.svg is missing"),
        (lambda folder: (folder / "example.json").unlink(), "example.json is missing"),
        (lambda folder: (folder / "example.json").write_text("{"), "example.json is not JSON"),
        (lambda folder: (folder / "example.json").write_text("[]"), "example.json is not a workflow"),
    ],
)
def test_a_broken_folder_is_listed_with_its_reason_and_breaks_nothing_else(
    services: Services, tmp_path: Path, damage, reason: str
) -> None:
    damage(put(tmp_path, "mine"))
    put(tmp_path, "sound", GOOD.replace('"mine"', '"sound"'))
    registry = ComponentRegistry(services, [tmp_path])
    assert registry.find("mine") is None
    assert registry.find("sound") is not None
    assert reason in registry.broken["mine"]
    broken = next(info for info in registry.listing("modules") if info.id == "mine")
    assert reason in broken.description
    assert (broken.is_paused, broken.is_installed) == (True, False)


def test_the_second_component_of_one_id_is_refused(services: Services, tmp_path: Path) -> None:
    put(tmp_path, "delay", GOOD.replace('"mine"', '"delay"'))
    registry = ComponentRegistry(services, [BUILTIN, tmp_path])
    assert type(registry.find("delay")).__name__ == "Delay"
    assert "another component" in registry.broken[str(tmp_path / "delay")]


def test_other_folders_are_left_alone(services: Services, tmp_path: Path) -> None:
    put(tmp_path, "mine")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    assert not ComponentRegistry(services, [tmp_path]).broken


async def test_the_settings_decide_about_files_limits_and_networks(tmp_path: Path, state) -> None:
    environ = {
        "FLOWORK_DATA_DIR": str(tmp_path / "data"), "ENGINE_FILE_ROOTS": f"{tmp_path / 'a'}:{tmp_path / 'b'}",
        "ENGINE_ISOLATED_SECONDS": "7", "ENGINE_ISOLATED_MEMORY_MB": "64",
        "ENGINE_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8,10.0.0.0/8",
    }  # fmt: skip
    registry, files = open_registry(
        load(EngineSettings, environ, prefixes=PREFIXES), state._store, SystemClock()
    )
    assert files.roots == (tmp_path / "a", tmp_path / "b")
    assert registry._services.sandbox.most == Bounds(7, 64)
    assert registry._services.network.allows("10.1.1.1")
    await registry.close()
    wrong = load(EngineSettings, {**environ, "ENGINE_HTTP_PRIVATE_NETWORKS": "ten"}, prefixes=PREFIXES)
    with pytest.raises(FloworkError) as caught:
        open_registry(wrong, state._store, SystemClock())
    assert caught.value.code is ErrorCode.CONFIGURATION


def test_examples_name_only_what_exists(registry: ComponentRegistry) -> None:
    for name in SHIPPED:
        example = json.loads((BUILTIN / name / "example.json").read_bytes())
        assert name in {node["module_id"] for node in example["nodes"]}
        assert all(registry.find(node["module_id"]) for node in example["nodes"])
        assert all(node["name"] for node in example["nodes"])


def test_the_shipped_folder_can_be_copied_and_loaded_from_elsewhere(
    services: Services, tmp_path: Path
) -> None:
    shutil.copytree(BUILTIN / "delay", tmp_path / "delay")
    assert ComponentRegistry(services, [tmp_path]).find("delay") is not None
