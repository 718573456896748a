"""docs/components/: the gallery of the shipped components, one table and a page for each category."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from core_engine.components.registry import ComponentRegistry, Services
from core_engine.components.state import ComponentState
from core_engine.storage import EngineStore
from shared.clock import SystemClock
from shared.contract.component import ComponentInfo, PortInfo, PropertyInfo

FOLDER = "docs/components"

_HEAD = """# Components

Generated from the components themselves. An engine lists what it has with `flowork components`; how to add one's own
is told in [add a component](../add-a-component.md).

There are {count} components in {categories} categories.

| Component | Id | Category | What it does |
|---|---|---|---|
"""
_LONGEST_DEFAULT = 40


def make_all() -> dict[str, str]:
    """Return every page by its file's name."""
    infos = _shipped()
    categories: dict[str, list[ComponentInfo]] = {}
    for info in infos:
        categories.setdefault(info.manifest.category, []).append(info)
    head = _HEAD.format(count=len(infos), categories=len(categories))
    pages = {f"{FOLDER}/README.md": head + "".join(map(_row, infos))}
    for category, members in sorted(categories.items()):
        text = f"# {category}\n\nGenerated; all components are in [one table](README.md).\n"
        pages[f"{FOLDER}/{_slug(category)}.md"] = text + "".join(map(_section, members))
    return pages


def _shipped() -> list[ComponentInfo]:
    clock = SystemClock()
    with TemporaryDirectory() as folder:
        store = EngineStore.open(Path(folder))
        try:
            sandbox = Sandbox(most=Bounds(1, 16))
            services = Services(sandbox, NetworkPolicy(), ComponentState(store, clock), clock)
            registry = ComponentRegistry(services)
            kinds = ("modules", "plugins", "tools", "triggers")
            found = [info for kind in kinds for info in registry.listing(kind)]
            if registry.broken:
                raise RuntimeError(f"components that cannot be used: {dict(registry.broken)}")
        finally:
            store.close()
    return sorted(found, key=lambda info: (info.manifest.category, info.name.casefold(), info.id))


def _row(info: ComponentInfo) -> str:
    category = info.manifest.category
    link = f"[{info.name}]({_slug(category)}.md#{_slug(info.name)})"
    return f"| {link} | `{info.id}` | {category} | {_cell(info.description)} |\n"


def _section(info: ComponentInfo) -> str:
    shown = info.manifest
    return "".join(
        [
            f"\n## {info.name}\n\n`{info.id}` {info.version}. {info.description}\n\n",
            f"After a crash: {shown.guarantee}\n\n",
            f"Inputs: {_ports(shown.input_ports)}. Outputs: {_ports(shown.output_ports)}.\n",
            *_settings(shown.properties),
        ]
    )


def _settings(properties: list[PropertyInfo]) -> Iterator[str]:
    if not properties:
        yield "\nIt has no settings.\n"
        return
    yield "\n| Setting | Type | Default | What it is |\n|---|---|---|---|\n"
    for item in properties:
        kind = " \\| ".join(option.value for option in item.options) or item.type
        default = "required" if item.required else _default(item)
        yield f"| `{item.id}` | {kind} | {default} | {_cell(item.description)} |\n"


def _default(item: PropertyInfo) -> str:
    if item.default in (None, "", [], "[]"):
        return ""
    text = item.default if isinstance(item.default, str) else json.dumps(item.default, sort_keys=True)
    text = " ".join(text.split())
    cut = text if len(text) <= _LONGEST_DEFAULT else f"{text[:_LONGEST_DEFAULT]}…"
    return f"`{_cell(cut)}`"


def _ports(ports: list[PortInfo]) -> str:
    return ", ".join(f"`{port.name}`" for port in ports) or "none"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
