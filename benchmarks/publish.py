"""Where results go: ``results/latest.json``, the plots, and the tables of docs/performance.md and the README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import plots
from benchmarks.b04_latency import SHARES
from benchmarks.figures import Row, row_of, table
from benchmarks.machine import sentence

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results"
PICTURES = ROOT / "docs" / "images"
DETAILS, SUMMARY = ROOT / "docs" / "performance.md", ROOT / "README.md"
BEGIN, END = "<!-- results: written by `python -m benchmarks --write-docs` -->", "<!-- end of results -->"


def keep(rows: list[Row], facts: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write the rows to ``latest.json`` with the machine on which they were measured; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "latest.json"
    told = {"machine": facts, "rows": [row.as_dict() for row in rows]}
    file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    return file


def with_kept(
    rows: list[Row], facts: dict[str, Any], folder: Path = RESULTS
) -> tuple[list[Row], dict[str, Any]]:
    """Return the kept results with these rows in place of the earlier ones of the same benchmarks.

    The machine is that of the whole run, if one was kept.
    """
    file = folder / "latest.json"
    if not file.exists():
        return rows, facts
    kept = json.loads(file.read_text())
    fresh = {row.id for row in rows}
    both = [*(row for row in map(row_of, kept["rows"]) if row.id not in fresh), *rows]
    return sorted(both, key=lambda row: int(row.id[1:])), kept["machine"]


def draw(rows: list[Row], folder: Path = RESULTS) -> list[Path]:
    """Draw what can be drawn; return the pictures."""
    made = []
    if any(row.goal and not row.error for row in rows):
        plots.draw_ratios(rows, folder / "ratios.png")
        made.append(folder / "ratios.png")
    for row in rows:
        if row.series and not row.error:
            plots.draw_latency(row, SHARES, folder / "latency.png")
            made.append(folder / "latency.png")
    return made


def write_docs(rows: list[Row], facts: dict[str, Any]) -> list[Path]:
    """Put the tables into the documents, between their marks, and the pictures beside them; return the files."""
    pictures = draw(rows, PICTURES)
    where = f"Measured on {sentence(facts)}"
    shown = "\n\n".join(f"![{each.stem}](images/{each.name})" for each in pictures)
    replace_marked(DETAILS, f"{table(rows)}\n\n{where}\n\n{shown}".rstrip())
    first = [row for row in rows if row.goal]
    bar = "\n\n![Each figure beside its goal](docs/images/ratios.png)" if pictures else ""
    replace_marked(SUMMARY, f"{table(first)}\n\n{where}{bar}")
    return [DETAILS, SUMMARY, *pictures]


def replace_marked(file: Path, text: str) -> None:
    """Replace what stands between the two marks of a file; raises ValueError where they are missing."""
    before, begin, rest = file.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{file} has no place for the results: {BEGIN} … {END}")
    file.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
