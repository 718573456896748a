"""Finds what a component's folder is: a manifest with its code beside it, or an unpacked Python package."""

from __future__ import annotations

import configparser
import re
from dataclasses import dataclass
from pathlib import Path

from core_engine.components.dropin.description import MANIFEST, Manifest, read_manifest
from core_engine.components.dropin.form import Form
from core_engine.components.dropin.permissions import Permission, read_permissions
from core_engine.components.dropin.problem import UnusableError
from core_engine.components.dropin.requirements import REQUIREMENTS, read_requirements

GROUP = "flowork.components"
_MOST_CODE = 2 * 1024 * 1024
_MOST_ICON = 256 * 1024
_TARGET = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*):([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Entry:
    """Where the class is: in a file of the folder, or (``file`` None) in a module that is importable from there."""

    file: str | None
    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """A component as its files say it is; nothing of it was run."""

    folder: Path
    manifest: Manifest
    entry: Entry
    form: Form
    permissions: tuple[Permission, ...]
    requirements: tuple[str, ...]
    open_ports: bool
    icon: Path | None


def is_component(folder: Path) -> bool:
    """Tell whether a folder claims to hold a component."""
    return (folder / MANIFEST).is_file() or _entry_points(folder) is not None


def read_component(folder: Path) -> Found:
    """Return the component in a folder; raises UnusableError with the first thing that is wrong."""
    points = None if (folder / MANIFEST).is_file() else _entry_points(folder)
    if points is None:
        manifest = read_manifest(folder / MANIFEST)
        file, name = manifest.entry
        entry = Entry(file, "", name)
        home, code = folder, folder / file
    else:
        entry = _package_entry(points)
        home, code = _package(folder, entry.module)
        manifest = read_manifest(home / MANIFEST)
    open_ports = _look_at(code, entry.name)
    variables = [item.name for item in manifest.requires_variables]
    return Found(
        folder=folder,
        manifest=manifest,
        entry=entry,
        form=Form(manifest),
        permissions=read_permissions(manifest.permissions, variables),
        requirements=() if points else read_requirements(folder / REQUIREMENTS),
        open_ports=open_ports,
        icon=_icon(home, manifest.icon_file),
    )


def _look_at(code: Path, name: str) -> bool:
    """Check that the class is in the file, as text: foreign code is not parsed here either.

    Returns whether it chooses its ports by its settings.
    """
    try:
        with code.open("rb") as file:
            text = file.read(_MOST_CODE + 1).decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise UnusableError(f"{code.name} cannot be read: {error}") from error
    if len(text) > _MOST_CODE:
        raise UnusableError(f"{code.name} is larger than {_MOST_CODE // 1024 // 1024} MiB")
    if not re.search(rf"^(?:class\s+{name}\b|{name}\s*=|from\s.*\b{name}\b)", text, re.MULTILINE):
        raise UnusableError(f"{code.name} holds no class {name}")
    return re.search(r"^\s+(?:async\s+)?def\s+get_dynamic_ports\b", text, re.MULTILINE) is not None


def _entry_points(folder: Path) -> Path | None:
    found = sorted(folder.glob("*.dist-info/entry_points.txt"))
    named = [file for file in found if f"[{GROUP}]" in _text(file)]
    return named[0] if named else None


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_CODE).decode("utf-8", "replace")
    except OSError:
        return ""


def _package_entry(file: Path) -> Entry:
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    try:
        points.read_string(_text(file))
        targets = list(points[GROUP].values())
    except (configparser.Error, KeyError) as error:
        raise UnusableError(f"entry_points.txt cannot be read: {error}") from error
    match = _TARGET.fullmatch(targets[0].strip()) if len(targets) == 1 else None
    if match is None:
        raise UnusableError(f"the entry point group {GROUP} must name one module:Class")
    return Entry(None, match[1], match[2])


def _package(folder: Path, module: str) -> tuple[Path, Path]:
    """Return the folder that holds the manifest, and the file of the module."""
    path = folder.joinpath(*module.split("."))
    code = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for home in (code.parent, folder / module.partition(".")[0]):
        if (home / MANIFEST).is_file():
            return home, code
    raise UnusableError(f"there is no {MANIFEST} in the package {module}")


def _icon(folder: Path, named: str | None) -> Path | None:
    """Return the icon's file; only SVG is shown, by a page that runs no scripts in it."""
    for name in (named, "icon.svg"):
        if not name or "/" in name or "\\" in name or not name.lower().endswith(".svg"):
            continue
        file = folder / name
        if file.is_file() and not file.is_symlink() and file.stat().st_size <= _MOST_ICON:
            return file
    return None
