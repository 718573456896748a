"""Writes every derived file, or with --check tells which ones are stale."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

import tools.generate

ROOT = Path(__file__).resolve().parents[2]


def derived() -> dict[Path, str]:
    """Return every derived file's path and what it should hold, in sorted order of the generators' names."""
    names = sorted(
        m.name for m in pkgutil.iter_modules(tools.generate.__path__) if not m.name.startswith("_")
    )
    modules = [importlib.import_module(f"tools.generate.{name}") for name in names]
    pages: dict[Path, str] = {}
    for module in modules:
        made = module.make_all() if hasattr(module, "make_all") else {module.FILENAME: module.make()}
        pages |= {ROOT / name: text for name, text in made.items()}
    return pages


def main(arguments: list[str]) -> int:
    """Write the files; with ``--check`` only compare, and return 1 when one is stale."""
    stale = [path for path, text in derived().items() if not path.exists() or path.read_text() != text]
    if "--check" in arguments:
        for path in stale:
            print(f"stale: {path.relative_to(ROOT)} (run `make generate`)", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(derived()[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
