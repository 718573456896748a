"""`python -m tools.licences`: brings requirements/licences.toml up to the lock files."""

from __future__ import annotations

import json

from tools.licences.reading import KNOWN, bundled, installed, known, locked

_HEAD = """# The licences of what is shipped, as SPDX expressions. `python -m tools.licences` adds what is new and drops
# what is gone; what a package does not state is written here by hand. `reviewed` says why a licence outside the
# usual is right.
"""


def main() -> None:
    """Write the file anew; entries that no installed package contradicts stay."""
    record = known() if KNOWN.exists() else {}
    old_python, old_page = record.get("python", {}), record.get("page", {})
    python = {name: installed(name) or old_python.get(name, "") for name in locked()}
    page = {name: stated or old_page.get(name, "") for name, stated in sorted(bundled().items())}
    text = _HEAD
    for title, table in (("python", python), ("page", page), ("reviewed", record.get("reviewed", {}))):
        text += f"\n[{title}]\n"
        text += "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in table.items())
    KNOWN.write_text(text)


if __name__ == "__main__":
    main()
