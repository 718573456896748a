"""Results are kept, drawn, and put into the documents between their marks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import plots, publish
from benchmarks.b04_latency import SHARES
from benchmarks.figures import Row
from benchmarks.machine import Machine, sentence

CURVE = {"ours": [float(place) for place, _ in enumerate(SHARES)], "theirs": [2.0 for _ in SHARES]}
ROWS = [
    Row("B1", "commands", "/s", 90.0, 100.0, "loop", 0.85),
    Row("B4", "latency, p50", "ms", 1.0, 2.0, "peer", 0.0, at_least=False),
    Row("B4", "latency, p99", "ms", 3.0, 2.0, "peer", 1.0, at_least=False, series=CURVE),
    Row("B9", "large", error="it broke"),
]


def test_results_are_kept_with_the_machine(tmp_path: Path) -> None:
    facts = Machine().facts()
    kept = json.loads(publish.keep(ROWS, facts, tmp_path / "results").read_text())
    assert [(row["id"], row["passed"]) for row in kept["rows"]] == [
        ("B1", True), ("B4", True), ("B4", False), ("B9", False),
    ]  # fmt: skip
    assert kept["machine"] == facts
    assert facts["cores"] >= 1
    assert f"{facts['cores']} cores of {facts['cpu']}" in sentence(facts)
    assert f"steal {facts['steal_percent']} %" in sentence(facts)


def test_a_part_that_is_measured_again_takes_the_place_of_its_earlier_lines(tmp_path: Path) -> None:
    facts, later = {"date": "of the whole run"}, {"date": "of the part"}
    again = [Row("B4", "latency, p99", "ms", 1.0, 2.0, "peer", 1.0, at_least=False)]
    assert publish.with_kept(again, later, tmp_path) == (again, later)
    publish.keep(ROWS, facts, tmp_path)
    rows, machine = publish.with_kept(again, later, tmp_path)
    assert [(row.id, row.figure) for row in rows] == [("B1", 90.0), ("B4", 1.0), ("B9", 0.0)]
    assert machine == facts


def test_plots_are_pictures_with_something_on_them(tmp_path: Path) -> None:
    pictures = publish.draw(ROWS, tmp_path)
    assert [picture.name for picture in pictures] == ["ratios.png", "latency.png"]
    for picture in pictures:
        with Image.open(picture) as image:
            assert image.width == plots.WIDTH
            assert len(image.getcolors(1 << 24) or ()) > 10


def test_a_figure_stands_as_far_beyond_the_line_as_it_is_better() -> None:
    assert plots.share_of_goal(ROWS[0]) == pytest.approx(0.9 / 0.85)
    assert plots.share_of_goal(ROWS[2]) == pytest.approx(1 / 1.5)


def test_tables_go_between_the_marks_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    details, summary = tmp_path / "performance.md", tmp_path / "README.md"
    for name, file in (("DETAILS", details), ("SUMMARY", summary)):
        monkeypatch.setattr(publish, name, file)
        file.write_text(f"before\n\n{publish.BEGIN}\n\nold\n\n{publish.END}\n\nafter\n")
    monkeypatch.setattr(publish, "PICTURES", tmp_path / "images")
    publish.write_docs(ROWS, Machine().facts())
    publish.write_docs(ROWS, Machine().facts())
    for file in (details, summary):
        text = file.read_text()
        assert text.startswith("before\n\n<!--")
        assert text.endswith("<!-- end of results -->\n\nafter\n")
        assert "old" not in text
        assert text.count("| B1 | commands | 90 /s |") == 1
    assert "latency, p50" in details.read_text()
    assert "latency, p50" not in summary.read_text()


def test_the_documents_have_a_place_for_the_results(tmp_path: Path) -> None:
    for file in (publish.DETAILS, publish.SUMMARY):
        assert publish.BEGIN in file.read_text()
        assert publish.END in file.read_text().partition(publish.BEGIN)[2]
    bare = tmp_path / "bare.md"
    bare.write_text("nothing")
    with pytest.raises(ValueError, match="has no place for the results"):
        publish.replace_marked(bare, "text")
