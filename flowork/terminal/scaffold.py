"""The first files of a new component: small, complete and running."""

from __future__ import annotations

import json
from pathlib import Path

_CODE = '''"""{name}: what it does, in one line."""


class {class_name}:
    """The engine makes one for each call, in a locked process of its own."""

    def __init__(self, component_id, services):
        self.logger = services["logger"]

    def execute(self, payload, config, status_updater, mode="EXECUTE", **kwargs):
        """Return the data for the next step, and the port it leaves by."""
        status_updater(f"Hello from {{config['greeting']}}.", "INFO")
        data = dict(payload["data"]) if isinstance(payload["data"], dict) else {{"value": payload["data"]}}
        data["message"] = f"{{config['greeting']}}, {{data.get('name', 'world')}}!"
        return {{"payload": {{"data": data}}, "output_name": "success"}}
'''
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
    ' stroke-width="1.8" stroke-linejoin="round">\n<path d="M12 3l8 4.5v9L12 21l-8-4.5v-9z"/>\n</svg>\n'
)


def scaffold(folder: Path, component_id: str, name: str) -> None:
    """Write the files into a new folder; raises OSError."""
    class_name = "".join(part.capitalize() for part in component_id.split("_")) or "Component"
    manifest = {
        "id": component_id,
        "name": name,
        "version": "0.1.0",
        "author": "",
        "description": f"{name}: says hello. Change me.",
        "type": "ACTION",
        "category": "Mine",
        "icon_file": "icon.svg",
        "entry_point": f"processor.{class_name}",
        "requires_services": ["logger"],
        "permissions": [],
        "effect": "none",
        "input_ports": [{"name": "input", "display_name": "Input"}],
        "output_ports": [
            {"name": "success", "display_name": "Success"},
            {"name": "error", "display_name": "Error"},
        ],
        "properties": [
            {
                "id": "greeting", "type": "string", "label": "Greeting", "default": "Hello",
                "description": "The word before the name.",
            }
        ],
        "example": {"config_values": {"greeting": "Welcome"}, "initial_payload": {"data": {"name": "Ada"}}},
    }  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    (folder / "processor.py").write_text(_CODE.format(name=name, class_name=class_name), "utf-8")
    (folder / "icon.svg").write_text(_ICON, "utf-8")
