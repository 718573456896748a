"""``python -m tests.faults [F03 …]``: causes failures on the shipped processes and writes down how long each lasted."""

from __future__ import annotations

import asyncio
import os
import platform as machine
import sys
import tempfile
import time
import tomllib
from contextlib import ExitStack
from pathlib import Path

from tests.faults.measures import MEASURES, Measure
from tests.faults.measuring import Site
from tests.soak.soak import Plan, started
from tests.support.workers import doors

TARGET = Path(__file__).with_name("measured.toml")
_HEAD = "# Written by `python -m tests.faults`: seconds until a failure was over, by row and set-up.\n"


async def measure(wanted: list[str]) -> None:
    """Measure and enter each wanted row; all rows where none is named."""
    for setup, workers in (("embedded", 0), ("workers", 2)):
        chosen = [each for each in MEASURES if each.setup == setup and (not wanted or each.row in wanted)]
        if not chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="flowork-faults-") as folder, ExitStack() as guests:
            running = started(Path(folder) / "platform", Plan(0, 0, 0, workers))
            crew = await asyncio.to_thread(running.__enter__)
            try:
                async with doors() as outside:
                    outside.asks_who = False
                    for each in chosen:
                        seconds = await each.take(Site(crew, outside, guests))
                        print(f"{each.row} {each.shown_as}: {seconds:.2f} s", flush=True)
                        write(each, round(seconds, 2))
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)


def write(each: Measure, seconds: float) -> None:
    """Enter what was measured beside what is there."""
    kept = tomllib.loads(TARGET.read_text()) if TARGET.exists() else {}
    rows = {name: taken for name, taken in kept.items() if isinstance(taken, dict)}
    rows.setdefault(each.row, {})[each.shown_as] = seconds
    load = f"{os.getloadavg()[1]:.0f} processes waiting for them"
    where = f"{os.cpu_count()} cores, {load}, {machine.machine()}, Python {machine.python_version()}"
    lines = [_HEAD, f'date = "{time.strftime("%Y-%m-%d")}"\n', f'machine = "{where}"\n']
    for name, taken in sorted(rows.items()):
        lines.append(f"\n[{name}]\n")
        lines += [f"{setup} = {figure:g}\n" for setup, figure in sorted(taken.items())]
    TARGET.write_text("".join(lines))


if __name__ == "__main__":
    asyncio.run(measure(sys.argv[1:]))
