"""Component folders as authors write them, a shelf to put them on, and a wheel built on the spot."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.dropin.environments import Environments, Source
from core_engine.components.dropin.installer import Installer
from core_engine.components.dropin.policy import InstallPolicy
from core_engine.components.dropin.records import InstallRecords
from core_engine.components.dropin.shelf import Shelf
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from shared.clock import SystemClock
from shared.signing.keys import WalletKey

OWNER, AUTHOR = (WalletKey.from_hex(digit * 64) for digit in "17")

CODE = """
class Greeter:
    def __init__(self, component_id, services):
        self.component_id = component_id
        self.logger = services["logger"]

    def execute(self, payload, config, status_updater, mode="EXECUTE", **kwargs):
        status_updater(f"Greeting {config['name']}", "INFO")
        return {"payload": {"data": {"text": f"{config['greeting']}, {config['name']}!", "mode": mode}},
                "output_name": "success"}
"""
MANIFEST: dict[str, Any] = {
    "id": "greeter",
    "name": "Greeter",
    "version": "1.0.0",
    "author": "An author",
    "description": "Greets somebody.",
    "type": "ACTION",
    "entry_point": "processor.Greeter",
    "requires_services": ["logger"],
    "output_ports": [{"name": "success", "display_name": "Success"}],
    "properties": [
        {"id": "greeting", "type": "enum", "label": "Greeting", "description": "The word.", "default": "Hello",
         "options": ["Hello", "Welcome"]},
        {"id": "name", "type": "string", "label": "Name", "description": "Whom.", "default": "world"},
        {"id": "times", "type": "integer", "label": "Times", "description": "How often.", "default": 1},
    ],
    "example": {"config_values": {"name": "garden"}},
}  # fmt: skip

WriteComponent = Callable[..., Path]


@pytest.fixture
def components(tmp_path: Path) -> Path:
    """The folder that components are dropped into."""
    folder = tmp_path / "components"
    folder.mkdir()
    return folder


@pytest.fixture
def write(components: Path) -> WriteComponent:
    """Write a component's folder; members of the manifest are changed by keyword, None takes one out."""

    def make(
        place: str | Path = "greeter", code: str = CODE, files: dict[str, str] | None = None, **changes: Any
    ):
        folder = components / place
        folder.mkdir(parents=True, exist_ok=True)
        manifest = {name: value for name, value in {**MANIFEST, **changes}.items() if value is not None}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        (folder / "processor.py").write_text(code)
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return make


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(60, 512), network=NetworkPolicy(["127.0.0.0/8", "::1/128"]))
    yield made
    await made.close()


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with one wheel: the package `oldsaying`, version 1.2, which says something."""
    return build_wheel(tmp_path / "wheels", "oldsaying", "1.2", "def say():\n    return 'Make hay.'\n")


@pytest.fixture
def environments(tmp_path: Path, wheels: Path) -> Environments:
    return Environments(tmp_path / "environments", Source(wheels), seconds=100, megabytes=64)


@pytest.fixture
def shelf(tmp_path: Path, components: Path, environments: Environments, sandbox: Sandbox) -> Shelf:
    records = InstallRecords(tmp_path / "installed")
    return Shelf(components, records, environments, sandbox, reserved=["delay"], disabled=["switched_off"])


@pytest.fixture
async def installer(shelf: Shelf) -> AsyncIterator[Installer]:
    policy = InstallPolicy.of("signed", AUTHOR.address, lambda: OWNER.address)
    made = Installer(shelf, policy, SystemClock())
    yield made
    await made.close()


def build_wheel(folder: Path, name: str, version: str, code: str) -> Path:
    """Write a wheel of one module, as the format's description says."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = []
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            lines.append(f"{path},sha256={digest},{len(text)}")
            wheel.writestr(path, text)
        wheel.writestr(f"{about}/RECORD", "\n".join([*lines, f"{about}/RECORD,,", ""]))
    return folder
