"""A benchmark that fails or hangs gives a row that says so, and its processes end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import psutil
import pytest

from benchmarks import one, suite
from benchmarks.figures import MissingError, Row, Scale


def test_benchmarks_are_chosen_by_number() -> None:
    every = suite.modules()
    assert [suite.number(name) for name in every] == [f"B{number}" for number in range(1, 12)]
    assert suite.modules(["b3", " B10"]) == [name for name in every if name[:3] in {"b03", "b10"}]
    with pytest.raises(ValueError, match="There is no benchmark B99; there are B1, B2"):
        suite.modules(["b99"])


@pytest.mark.parametrize(
    ("error", "verdict"), [(RuntimeError("all wrong"), "FAILED"), (MissingError("no npm"), "not measured")]
)
def test_what_goes_wrong_stands_in_the_row(
    monkeypatch: pytest.MonkeyPatch, error: Exception, verdict: str
) -> None:
    def measure(_scale: Scale) -> list[Row]:
        raise error

    module = ModuleType("benchmarks.b98_broken")
    module.__dict__.update(WORK="broken work", measure=measure)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (row,) = suite.measured("b98_broken", Scale())
    assert (row.id, row.work, row.error, row.verdict) == ("B98", "broken work", str(error), verdict)


def test_a_process_that_fails_gives_a_row_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("benchmarks.b97_unknown")  # known here, and not to the process
    module.__dict__.update(DEADLINE_SECONDS=60.0)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (row,) = suite.in_own_process("b97_unknown", quick=True)
    assert "No module named 'benchmarks.b97_unknown'" in row.error


def test_at_the_deadline_the_servers_end_too(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = f"""import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("{note}.tmp", "w").write(str(child.pid))
os.rename("{note}.tmp", "{note}")
time.sleep(600)
"""
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    while not note.exists():
        assert process.poll() is None
        os.sched_yield()
    child = psutil.Process(int(note.read_text()))
    assert suite._wait(process, 0.01) == "it was not done after 0.01 s"
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_what_was_measured_is_handed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    row = Row("B96", "work", "/s", 1.0, 2.0, "peer", 0.1)
    module = ModuleType("benchmarks.b96_fine")
    module.__dict__.update(WORK="work", measure=lambda _scale: [row])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(one, "take_load_core", lambda: None)
    monkeypatch.setattr(one.signal, "signal", lambda *_: None)
    assert one.main(["b96_fine", str(tmp_path / "rows.json"), "--quick"]) == 0
    assert '"id": "B96"' in (tmp_path / "rows.json").read_text()
