"""Runs tests against a copy of the tree, each time in a fork of this process, which has loaded what they need."""

from __future__ import annotations

import contextlib
import fnmatch
import gc
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tools.mutants.choosing import IMPORTED, Chosen, Observer

_LEFT_OUT = ("gui/*", "benchmarks/*", "docs/images/*")
_LEAST_SECONDS, _TIMES_LONGER = 15.0, 5.0
_LONGEST = 3600.0
_LOADED_BEFORE = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of pytest's own plugins


@dataclass(frozen=True)
class Observed:
    """What a run without faults showed: what each test took, and which lines it came by."""

    seconds: dict[str, float]
    tests_of: dict[tuple[str, int], frozenset[str]] = field(repr=False)

    def chosen(self, source: str, lines: range | None) -> list[str]:
        """Return the tests to ask about these lines of a source; None: about any.

        Those of the file that is named after the source come first, then the quickest.
        """
        if lines is None:
            wanted = frozenset(self.seconds)
        else:
            found = (self.tests_of.get((source, line), frozenset()) for line in lines)
            wanted = frozenset[str]().union(*found)
            if IMPORTED in wanted:
                wanted = frozenset(self.seconds)
        own = f"/test_{Path(source).stem}.py::"
        return sorted(wanted, key=lambda test: (own not in test, self.seconds[test], test))

    def limit(self, tests: list[str]) -> float:
        """Return the seconds after which a run of the tests is given up."""
        return _LEAST_SECONDS + _TIMES_LONGER * sum(self.seconds[test] for test in tests)


class Bench:
    """A copy of the tracked files in which faults are put; `close` removes it."""

    def __init__(self, root: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="flowork-mutants-"))
        self.folder.chmod(0o755)  # children of the sandbox are other users
        self._tree = self.folder / "tree"
        self._stamp = 1_000_000_000
        for name in _tracked(root):
            target = self._tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target)
        os.chdir(self._tree)
        sys.path[:] = [str(self._tree), *(path for path in sys.path if path not in {"", str(root)})]

    def close(self) -> None:
        """Remove the copy."""
        os.chdir("/")
        shutil.rmtree(self.folder, ignore_errors=True)

    def observe(self, tests: list[str], sources: frozenset[str]) -> Observed:
        """Run the tests without a fault; raises RuntimeError when one fails."""
        self._load(self._watched(tests, frozenset(), ["--collect-only"])["modules"])
        told = self._watched(tests, sources, [])
        plain = self._watched(tests, frozenset(), [])
        by_line: dict[tuple[str, int], set[str]] = {}
        for test, source, lines in told["lines"]:
            for line in lines:
                by_line.setdefault((source, line), set()).add(test)
        return Observed(plain["seconds"], {place: frozenset(names) for place, names in by_line.items()})

    def put(self, source: str, content: bytes) -> None:
        """Put content in a file's place, so that no compiled form of an earlier one is taken for it."""
        path = self._tree / source
        path.write_bytes(content)
        self._stamp += 10
        os.utime(path, (self._stamp, self._stamp))

    def ask(self, tests: list[str], files: list[str], limit: float) -> str | None:
        """Run tests until the first fails; return its name (or how the run ended), None where all pass."""
        noted = self.folder / "failed"
        noted.unlink(missing_ok=True)
        code = self._fork(["-x", *files], Chosen(tests, noted), limit)
        if code == 0:
            return None
        return (
            noted.read_text() if noted.exists() else "no end in time" if code is None else f"exit code {code}"
        )

    def _watched(self, tests: list[str], sources: frozenset[str], more: list[str]) -> dict[str, Any]:
        target = self.folder / "observed"
        code = self._fork([*more, *tests], Observer(self._tree, sources, target), _LONGEST)
        told: dict[str, Any] = json.loads(target.read_text()) if target.exists() else {}
        if code != 0 or told.get("failed"):
            said = (self.folder / "output").read_text(errors="replace")[-3000:]
            raise RuntimeError(f"the tests fail without a fault (exit code {code}):\n{said}")
        return told

    def _load(self, names: list[str]) -> None:
        """Load what the tests need besides our own code, once for all that follow."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)
        gc.freeze()

    def _fork(self, arguments: list[str], plugin: object, limit: float) -> int | None:
        """Run pytest in a fork; return its exit code, None when it took too long. Nothing of it is left behind."""
        given = [
            "-q",
            "--no-header",
            *_LOADED_BEFORE,
            f"--rootdir={self._tree}",
            f"--basetemp={self.folder / 'tmp'}",
            *arguments,
        ]
        pid = os.fork()
        if pid == 0:
            _run(given, plugin, self.folder / "output")
        until = time.monotonic() + limit
        while time.monotonic() < until:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                _end_group(pid)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        _end_family(pid)
        os.waitpid(pid, 0)
        return None


def matching(root: Path, patterns: list[str]) -> list[str]:
    """Return the files of a tree that patterns name."""
    return sorted(str(path.relative_to(root)) for pattern in patterns for path in root.glob(pattern))


def _tracked(root: Path) -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = (name for name in names if not any(fnmatch.fnmatch(name, pattern) for pattern in _LEFT_OUT))
    return [name for name in wanted if (root / name).is_file()]


def _run(arguments: list[str], plugin: object, output: Path) -> None:
    code = 70
    try:
        os.setsid()
        sink = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        code = int(pytest.main(arguments, plugins=[plugin]))
    except BaseException:  # noqa: BLE001 - said in the run's output, and by its exit code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _end_family(pid: int) -> None:
    """End a run with all that it started: also what left its group."""
    with contextlib.suppress(psutil.Error):
        family = psutil.Process(pid).children(recursive=True)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
    _end_group(pid)
