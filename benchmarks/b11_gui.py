"""B11: the web GUI in a real browser: its first page, the script that this takes, and a designer with 500 steps."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import cores
from benchmarks.figures import MissingError, Row, Scale
from benchmarks.real_parts import or_missing, support

WORK = "web GUI in a browser"
DEADLINE_SECONDS = 240
BROWSER_SECONDS = 100
LOADS = 5
STEPS, FRAMES = 500, 60
FIRST_ROWS = 2
GOAL_KB, GOAL_SECONDS, GOAL_FPS = 300.0, 1.5, 45.0


def prepare() -> None:
    """Build the page and install its tools, where that has not been done."""
    with or_missing():
        gui = support("gui")
        if not Path(gui.CHROMIUM).exists():
            raise MissingError(f"{gui.CHROMIUM} is not installed")
        gui.built_page()


def measure(scale: Scale) -> list[Row]:
    """Return what a browser makes of the first page and of the designer."""
    prepare()
    os.sched_setaffinity(0, cores.ALL)  # a browser is many processes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        platform = support("platform")
        rows: list[Row] = []
        running_platform = platform.running_platform(folder / "platform", GATEWAY_PAGE="auto")
        # what does not stop in time is ended with this process
        with or_missing(), contextlib.suppress(subprocess.TimeoutExpired), running_platform as running:
            first = in_browser("load", running, folder, FLOWORK_MEASURE_LOADS=str(scale.of(LOADS)))
            rows += first_page(first["loads"])
            canvas = in_browser(
                "canvas",
                running,
                folder,
                FLOWORK_MEASURE_STEPS=str(STEPS),
                FLOWORK_MEASURE_FRAMES=str(FRAMES),
            )
            rows += designer(canvas)
    if len(rows) <= FIRST_ROWS:
        rows.append(Row("B11", WORK, error=f"the browser was not done after {BROWSER_SECONDS} s"))
    return rows


def in_browser(name: str, running: Any, folder: Path, **environ: str) -> dict[str, Any]:
    """Run one of the measurements of the GUI's project; return what it wrote down."""
    file = folder / f"{name}.json"
    support("gui").browse(
        "--config", "playwright.measure.config.ts", f"{name}.measure.ts", seconds=BROWSER_SECONDS,
        output=folder / "browser", FLOWORK_E2E_URL=running.gateway_url,
        FLOWORK_E2E_KEY=running.owner.private_key_hex(), FLOWORK_MEASURE_FILE=str(file), **environ,
    )  # fmt: skip
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def first_page(loads: list[dict[str, Any]]) -> list[Row]:
    """Return the rows of the first page, each load with an empty cache."""
    ready = statistics.median(load["readyMs"] for load in loads) / 1000
    script = max(load["scriptBytes"] for load in loads) / 1000
    return [
        Row("B11", "first page usable", "s", ready, GOAL_SECONDS, "goal", 1.0, at_least=False),
        Row("B11", "script for the first page", "kB gz", script, GOAL_KB, "goal", 1.0, at_least=False),
    ]


def designer(report: dict[str, Any]) -> list[Row]:
    """Return the rows of the designer; the page's own work for a frame is told beside the frames a second."""
    rows = []
    for view in ("all in view: pan", "at full size: pan"):
        found = report["found"][view]
        note = f"{found['workMs']} ms of work a frame"
        work = f"designer, {report['steps']} steps, {view}"
        rows.append(Row("B11", work, "fps", found["fps"], GOAL_FPS, "goal", 1.0, note=note))
    shown = report["shownMs"] / 1000
    return [
        *rows,
        Row("B11", f"designer, {report['steps']} steps shown after", "s", shown, 1.0, "one second", 0.0),
    ]
