""".env.example: every setting as a commented line with its default."""

from __future__ import annotations

from tools.generate._settings import documented

FILENAME = ".env.example"

_HEAD = """# Settings of gateway and engine (generated; docs/settings.md explains them).
# Copy to .env and uncomment what you change.
# Secrets have no default: `flowork up` makes them in the data folder.
"""


def make() -> str:
    """Return the file."""
    lines = [_HEAD]
    for process, docs in documented():
        lines.append(f"\n# ---- {process}\n")
        lines += [f"\n# {doc.description}\n# {doc.env}={doc.default}\n" for doc in docs]
    return "".join(lines)
