"""The workbench of authors, as a process of its own: ``python -m core_engine.components.dropin VERB FOLDER``.

``check`` reads a component as an engine would, ``test`` runs its example in the isolation, ``hash`` names its files,
``pack`` writes its package. Each prints one JSON object; the command line shows it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError

from core_engine.components.dropin.component import IsolatedComponent, describe, make_class
from core_engine.components.dropin.environments import Environments, Source
from core_engine.components.dropin.folder import folder_hash, list_files
from core_engine.components.dropin.found import Found, read_component
from core_engine.components.dropin.package import pack
from core_engine.components.dropin.policy import read_author
from core_engine.components.dropin.problem import UnusableError
from core_engine.components.dropin.shelf import example_of
from core_engine.components.files import RootedFiles
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.kernel.context import LogLevel, Spent
from core_engine.kernel.payload import Input, Payload
from shared.contract.run import RunMode
from shared.errors import FloworkError

_BUILD_SECONDS = 300.0
_BUILD_MB = 1024
_MOST = Bounds(300, 2048)


@dataclass
class _Step:
    """The one step of a try-out; what it writes is collected."""

    files: RootedFiles
    mode: RunMode
    run_id: str = "try-out"
    workflow: str = "try-out"
    node_id: str = "step"
    node_name: str = "Try-out"
    attempt: int = 1
    idempotency_key: str = "try-out"
    inputs: tuple[Input, ...] = ()
    lines: list[str] = field(default_factory=list)

    def log(self, message: str, level: LogLevel = "INFO") -> None:
        """Collect a line."""
        self.lines.append(f"{level}: {message}")

    def popup(self, title: str, content: Any, config: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        """Collect a popup as a line."""
        self.lines.append(f"POPUP: {title}: {content}")

    def spend(self, kind: str, **_: Any) -> None:
        """Collect what was spent as a line."""
        self.lines.append(f"SPENT: {kind}")

    def spent(self) -> Spent:
        """Return nothing: a try-out costs nothing."""
        return Spent()


def check(folder: Path) -> dict[str, Any]:
    """Read the component whole; ``hints`` are what an author may want to better."""
    found = read_component(folder)
    digest, manifest = folder_hash(folder), found.manifest
    info = describe(found)
    hints = [
        f"the setting {item.id} has no description" for item in found.form.fields if not item.description
    ]
    if not manifest.description:
        hints.append("the manifest has no description")
    if found.icon is None:
        hints.append("there is no icon.svg")
    if example_of(found) is None:
        hints.append("the manifest has no example, so `flowork component test` runs it without settings")
    if "effect" not in manifest.model_fields_set:
        hints.append(
            'no effect is named ("none", "keyed" or "once"), so a crash in the middle is never repeated'
        )
    hints += [f"{item.text}: {item.meaning}" for item in found.permissions if not item.given]
    return {
        "id": manifest.id,
        "version": manifest.version,
        "hash": digest,
        "author": read_author(folder, manifest.id, manifest.version, digest),
        "permissions": [item.text for item in found.permissions],
        "requirements": list(found.requirements),
        "settings": [item.id for item in info.properties],
        "guarantee": info.guarantee,
        "files": len(list_files(folder)),
        "hints": hints,
    }


def name_files(folder: Path) -> dict[str, Any]:
    """Return what an author signs."""
    manifest = read_component(folder).manifest
    return {"id": manifest.id, "version": manifest.version, "hash": folder_hash(folder)}


def write_package(folder: Path, target: Path) -> dict[str, Any]:
    """Write the package to a new file."""
    about = check(folder)
    package = pack(folder)
    with target.open("xb") as file:
        file.write(package)
    return about | {"package": str(target), "bytes": len(package)}


async def try_out(folder: Path) -> dict[str, Any]:
    """Run the example once for real and once simulated, each in a locked child."""
    found = read_component(folder)
    with TemporaryDirectory() as room:
        packages: tuple[str, ...] = ()
        lines: list[str] = []
        if found.requirements:
            environments = Environments(
                Path(room) / "packages", _source(), seconds=_BUILD_SECONDS, megabytes=_BUILD_MB
            )
            packages = (str(await environments.build(found.requirements, lines.append)),)
        sandbox = Sandbox(most=_MOST, warm=False)
        try:
            component = make_class(found)(packages, sandbox)
            files = RootedFiles([Path(room) / "files"], Path(room) / "data")
            runs = {mode.value: await _run(component, found, _Step(files, mode)) for mode in RunMode}
        finally:
            await sandbox.close()
    return {"id": found.manifest.id, "version": found.manifest.version, "lines": lines, "runs": runs}


async def _run(component: IsolatedComponent, found: Found, step: _Step) -> dict[str, Any]:
    example = found.manifest.example
    config = component.parse_config(example.get("config_values") or {})
    payload = Payload.from_value(example.get("initial_payload"))
    done = await component.call(step, config, payload)  # type: ignore[arg-type, misc]
    ports = {port: given.to_wire() for port, given in done.outputs.items()}
    return {"outputs": ports, "log": step.lines}


def _source() -> Source:
    import os  # noqa: PLC0415 - read where the process begins, and only for this verb

    return Source.of(os.environ.get("ENGINE_WHEELS_DIR", ""), os.environ)


def main(words: list[str]) -> int:
    """Do what the words say; 0 when it is done, 65 with ``{"error"}`` when the component is at fault."""
    verb, folder = words[0], Path(words[1])
    verbs: dict[str, Callable[[], dict[str, Any]]] = {
        "check": lambda: check(folder),
        "hash": lambda: name_files(folder),
        "pack": lambda: write_package(folder, Path(words[2])),
        "test": lambda: asyncio.run(try_out(folder)),
    }
    try:
        answer, code = verbs[verb](), 0
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False)
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in items)
        answer, code = {"error": f"the example's settings are wrong: {wrong}"}, 65
    except (UnusableError, FloworkError, OSError) as error:
        answer, code = {"error": str(error)}, 65
    sys.stdout.write(json.dumps(answer) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
