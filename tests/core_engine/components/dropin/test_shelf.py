"""What is in the components folder is read without running it; what is wrong is listed and breaks nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core_engine.components.dropin.description import Release
from core_engine.components.dropin.shelf import NOT_BUILT, Shelf
from core_engine.components.isolation.sandbox import Sandbox


def test_a_component_is_listed_with_all_a_form_needs(shelf: Shelf, write) -> None:
    write(files={"icon.svg": "<svg/>"}, properties=[{"id": "plain"}, {"id": "my-field", "type": "float"}])
    shelf.rescan()
    (info,) = shelf.listing("modules")
    assert (info.id, info.is_core, info.is_installed) == ("greeter", False, True)
    for item in info.manifest.properties:
        assert item.label
        assert item.description
    assert info.manifest.config_schema["properties"].keys() == {"plain", "my-field"}
    assert shelf.icon("greeter") == b"<svg/>"
    assert shelf.example("greeter")["nodes"][0]["config_values"] == {"name": "garden"}
    assert list(shelf.listing("plugins")) == []


def test_reading_the_folder_runs_nothing_of_it(shelf: Shelf, write) -> None:
    write(code="raise SystemExit\nclass Greeter: pass\n", files={"sitecustomize.py": "raise SystemExit"})
    shelf.rescan()
    assert shelf.find("greeter") is not None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"entry_point": "../other.Greeter"}, "entry_point"),
        ({"entry_point": "/etc/passwd.Greeter"}, "entry_point"),
        ({"entry_point": "processor.Nobody"}, "no class Nobody"),
        ({"entry_point": "missing.Greeter"}, "cannot be read"),
        ({"id": "../x"}, "id:"),
        ({"id": "con"}, "device"),
        ({"id": "delay"}, "belongs to the engine"),
        ({"id": "DELAY"}, "belongs to the engine"),
        ({"id": None}, "id: Field required"),
        ({"version": "latest"}, "version"),
        ({"type": "TRIGGER"}, "not a step"),
        ({"requires_services": ["state_manager"]}, "state_manager"),
        ({"permissions": ["root"]}, "'root'"),
        ({"permissions": ["network:http://x/"]}, "network:http://x/"),
        ({"properties": [{"id": "n", "type": "integer", "default": "many"}]}, "setting n"),
        ({"properties": "none"}, "properties"),
        ({"files": {"requirements.txt": "git+https://example.com/x"}}, "not a package's name"),
        ({"files": {"requirements.txt": "--index-url http://evil"}}, "not a package's name"),
        ({"files": {"requirements.txt": "x @ file:///etc"}}, "not a package's name"),
        ({"files": {"requirements.txt": "./local"}}, "not a package's name"),
        ({"files": {"manifest.json": "[" * 100}}, "not JSON"),
        ({"files": {"manifest.json": "[]"}}, "manifest.json"),
        ({"files": {"manifest.json": " " * 600_000}}, "larger"),
        ({"files": {"a/Read.txt": "1", "a/read.txt": "2"}}, "only in case"),
    ],
)
def test_what_is_wrong_is_said_and_harms_no_other(shelf: Shelf, write, changes, reason: str) -> None:
    write("mine", **changes)
    write("sound", id="sound")
    shelf.rescan()
    assert reason in shelf.broken["mine"]
    assert shelf.find("sound") is not None
    broken = next(info for info in shelf.listing("modules") if info.id == "mine")
    assert reason in broken.description
    assert broken.is_paused


def test_links_and_devices_have_no_place(shelf: Shelf, write) -> None:
    folder = write()
    (folder / "secret").symlink_to("/etc/passwd")
    shelf.rescan()
    assert "link" in shelf.broken["greeter"]
    (folder / "secret").unlink()
    os.mkfifo(folder / "pipe")
    shelf.rescan()
    assert "device" in shelf.broken["greeter"]
    (shelf.folder / "elsewhere").symlink_to("/usr")
    shelf.rescan()
    assert "elsewhere" not in shelf.broken


def test_two_folders_of_one_component_are_not_both_taken(shelf: Shelf, write) -> None:
    write("a")
    write("b")
    write("c", id="Greeter")
    shelf.rescan()
    assert shelf.find("greeter").found.folder.name == "a"
    assert "another folder" in shelf.broken["b"]
    assert "only in case" in shelf.broken["c"]


def test_versions_stand_side_by_side(shelf: Shelf, write) -> None:
    for version in ("1.10.0", "1.9.0", "2.0.0-beta"):
        write(f"greeter/{version}", version=version)
    shelf.rescan()
    assert [item.version for item in shelf.versions("greeter")] == ["1.9.0", "1.10.0", "2.0.0-beta"]
    assert shelf.find("greeter").version == "2.0.0-beta"
    assert shelf.find("greeter@1.9.0").version == "1.9.0"
    assert shelf.find("greeter@3") is None
    assert len(list(shelf.listing("modules"))) == 1


def test_releases_are_ordered() -> None:
    texts = ["1", "1.0.1-rc.1", "1.0.1", "1.2", "1.10", "2.0-alpha", "2.0"]
    shuffled = [texts[index] for index in (3, 0, 6, 2, 5, 1, 4)]
    assert sorted(shuffled, key=Release) == texts


def test_a_saved_workflow_keeps_the_version_of_its_time(shelf: Shelf, write) -> None:
    for number, version in enumerate(("1.0.0", "2.0.0"), 1):
        os.utime(write(f"greeter/{version}", version=version), (number * 1000, number * 1000))
    shelf.rescan()
    nodes = [{"id": "a", "module_id": "greeter"}, {"id": "b", "module_id": "delay"}]
    workflow = {"nodes": nodes}

    def version(saved_at: int, flow=workflow) -> str | None:
        return shelf.pin(flow, saved_at)["nodes"][0].get("component_version")

    assert [version(at) for at in (500_000, 1_500_000, 2_500_000)] == ["1.0.0", "1.0.0", "2.0.0"]
    named = {"nodes": [{"module_id": "greeter", "component_version": "1.0.0"}]}
    assert version(2_500_000, named) == "1.0.0"
    assert shelf.pin({"nodes": nodes[1:]}, 0) == {"nodes": nodes[1:]}
    assert "component_version" not in nodes[0]


def test_what_did_not_change_is_the_very_same_object(shelf: Shelf, write) -> None:
    write()
    write("other", id="other")
    shelf.rescan()
    before, other = shelf.find("greeter"), shelf.find("other")
    write("other", id="other", description="New.")
    shelf.rescan()
    assert shelf.find("greeter") is before
    assert shelf.find("other") is not other


def test_missing_requirements_and_switched_off_components_are_not_run(shelf: Shelf, write) -> None:
    write(files={"requirements.txt": "oldsaying==1.2  # wise\n"})
    write("switched_off", id="switched_off")
    shelf.rescan()
    assert shelf.find("greeter") is None
    assert shelf.broken["greeter"] == NOT_BUILT
    assert shelf.find("switched_off") is None
    infos = {info.id: info for info in shelf.listing("modules")}
    assert not infos["greeter"].is_installed
    assert "ENGINE_DISABLED_COMPONENTS" in infos["switched_off"].description


def test_a_python_package_with_an_entry_point_is_a_component(shelf: Shelf, write, components: Path) -> None:
    source = write("draft")
    package = components / "saying" / "saying_component"
    package.mkdir(parents=True)
    (source / "manifest.json").rename(package / "manifest.json")
    (source / "processor.py").rename(package / "__init__.py")
    source.rmdir()
    about = components / "saying" / "saying_component-1.dist-info"
    about.mkdir()
    (about / "entry_points.txt").write_text("[flowork.components]\ngreeter = saying_component:Greeter\n")
    shelf.rescan()
    assert dict(shelf.broken) == {}
    assert shelf.find("greeter").found.entry.module == "saying_component"


async def test_a_packages_class_runs(shelf: Shelf, write, components: Path, step, sandbox: Sandbox) -> None:
    test_a_python_package_with_an_entry_point_is_a_component(shelf, write, components)
    component = shelf.find("greeter")
    from core_engine.kernel.payload import Payload

    result = await component.call(step, component.parse_config({}), Payload())
    assert result.outputs["success"].data["text"] == "Hello, world!"
    assert json.dumps(component.found.manifest.model_dump())
