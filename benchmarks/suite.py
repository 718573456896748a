"""Runs benchmarks one after the other, each in a process of its own that ends at its deadline."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import benchmarks
from benchmarks.figures import MissingError, Row, Scale, row_of

ROOT = Path(__file__).resolve().parents[1]
PREPARE_SECONDS = 900
LAST_WORDS_SECONDS = 15
SHOWN_CHARS = 400


def modules(wanted: Iterable[str] = ()) -> list[str]:
    """Return the names of the benchmarks, all or those wanted by number (``B3``) or name (``b03_runs``)."""
    every = sorted(
        each.name for each in pkgutil.iter_modules(benchmarks.__path__) if each.name[1:3].isdigit()
    )
    asked = [word.strip().lower() for word in wanted if word.strip()]
    unknown = [word for word in asked if not any(_is(name, word) for name in every)]
    if unknown:
        raise ValueError(
            f"There is no benchmark {unknown[0].upper()}; there are {', '.join(map(number, every))}."
        )
    return [name for name in every if not asked or any(_is(name, word) for word in asked)]


def number(module: str) -> str:
    """Return the number of a benchmark's module, such as ``B3``."""
    return f"B{int(module[1:3])}"


def prepare(names: Iterable[str]) -> None:
    """Fetch and build what benchmarks need, before the clock runs; what cannot be had is told in its row."""
    for name in names:
        if hasattr(importlib.import_module(f"benchmarks.{name}"), "prepare"):
            print(f"preparing {name} …", file=sys.stderr, flush=True)
            problem = _own_process(name, "--prepare", seconds=PREPARE_SECONDS)[1]
            if problem:
                print(f"  {problem}", file=sys.stderr, flush=True)


def run(names: Iterable[str], *, quick: bool) -> Iterator[list[Row]]:
    """Measure one after the other; what fails gives a row that says so, and the others go on."""
    for name in names:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        yield in_own_process(name, quick=quick)


def in_own_process(name: str, *, quick: bool) -> list[Row]:
    """Measure in a process group of its own: at its deadline all of it ends, the servers it started too."""
    seconds: float = importlib.import_module(f"benchmarks.{name}").DEADLINE_SECONDS
    rows, problem = _own_process(name, *(["--quick"] if quick else []), seconds=seconds)
    if problem:
        rows.append(Row(number(name), name, error=problem))
    return rows


def _own_process(name: str, *flags: str, seconds: float) -> tuple[list[Row], str]:
    """Return the rows that the process gave, and what went wrong."""
    with tempfile.TemporaryDirectory(prefix="flowork-bench-") as folder:
        Path(folder).chmod(0o711)  # a database runs there as another user
        answer, log = Path(folder) / "rows.json", Path(folder) / "log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.one", name, str(answer), *flags],
                cwd=ROOT, env=os.environ | {"TMPDIR": folder}, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
            problem = _wait(process, seconds)
        if not answer.exists():
            last = log.read_text(errors="replace").strip()[-SHOWN_CHARS:]
            return [], problem or f"it ended without a result: {last}"
        return [row_of(shown) for shown in json.loads(answer.read_text())], problem


def _wait(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Wait for the end, then end what is left of the group; return what went wrong."""
    problem = ""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        problem = f"it was not done after {seconds:g} s"
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(LAST_WORDS_SECONDS)
    finally:
        _signal(process.pid, signal.SIGKILL)
        process.wait()
    return problem


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)


def measured(name: str, scale: Scale) -> list[Row]:
    """Measure in this process; an error gives a row."""
    module = importlib.import_module(f"benchmarks.{name}")
    try:
        rows: list[Row] = module.measure(scale)
    except Exception as error:  # noqa: BLE001 - whatever went wrong stands in the table
        text = str(error) or type(error).__name__
        return [Row(number(name), module.WORK, error=text, missing=isinstance(error, MissingError))]
    return rows


def prepared(name: str) -> None:
    """Prepare in this process; what this machine lacks is told when it is measured."""
    with contextlib.suppress(MissingError):
        importlib.import_module(f"benchmarks.{name}").prepare()


def _is(name: str, word: str) -> bool:
    return name.startswith(word) if len(word) > 3 else number(name).lower() == word or name[:3] == word
