"""docs/settings.md: every setting, its default and what it does."""

from __future__ import annotations

from tools.generate._settings import documented

FILENAME = "docs/settings.md"

_HEAD = """# Settings

Generated from `gateway/settings.py` and `core_engine/settings.py`. Read once at the start from the environment; an
empty value counts as absent. A name that starts with `GATEWAY_` (in the gateway) or `ENGINE_` (in the engine) but
is not listed here stops the start, naming the nearest known one. Secrets have no default and are never logged.
"""


def make() -> str:
    """Return the page."""
    parts = [_HEAD]
    for process, docs in documented():
        parts.append(f"\n## {process}\n\n| name | default | what it does |\n|---|---|---|\n")
        for doc in docs:
            default = "*secret*" if doc.secret else (f"`{doc.default}`" if doc.default else "")
            text = doc.description.replace("|", "\\|")
            parts.append(f"| `{doc.env}` | {default} | {text} |\n")
    return "".join(parts)
