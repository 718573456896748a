"""docs/licences.md: the licences of everything that is shipped."""

from __future__ import annotations

from collections import defaultdict

from tools.licences.reading import known

FILENAME = "docs/licences.md"

_HEAD = """# Licences of what is shipped

Generated from `requirements/licences.toml`, which `python -m tools.licences` brings up to the lock files. Packages with
a licence that asks for more than a notice are listed first, with the reason why they are here.
"""
_TITLES = {"python": "Python packages", "page": "Packages of the web page"}


def make() -> str:
    """Return the page."""
    record = known()
    lines = [_HEAD, "| package | licence, and what follows |", "|---|---|"]
    lines += [f"| {name} | {reason} |" for name, reason in sorted(record["reviewed"].items())]
    for table, title in _TITLES.items():
        lines += ["", f"## {title}", "", "| licence | packages |", "|---|---|"]
        names: defaultdict[str, list[str]] = defaultdict(list)
        for name, licence in record[table].items():
            names[licence].append(name)
        lines += [f"| {licence} | {', '.join(sorted(names[licence]))} |" for licence in sorted(names)]
    return "\n".join(lines) + "\n"
