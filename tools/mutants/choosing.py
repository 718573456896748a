"""Plugins for pytest: one looks which lines each test comes by, the other runs chosen tests in a chosen order."""

from __future__ import annotations

import json
import sys
import threading
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

IMPORTED = ""
"""Stands for what runs when modules are imported, before any test."""


class Observer:
    """Writes down the lines of some files that each test ran, how long it took, and what failed."""

    def __init__(self, root: Path, sources: frozenset[str], target: Path) -> None:
        self._root = str(root)
        self._names = {str(root / source): source for source in sources}
        self._target = target
        self._now = IMPORTED
        self._lines: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._seconds: dict[str, float] = defaultdict(float)
        self._failed: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        """Watch from the first import on."""
        if self._names:
            threading.settrace(self._called)
            sys.settrace(self._called)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Tell what follows from what the test before it did."""
        self._now = item.nodeid
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what a test took, and its failure."""
        self._seconds[report.nodeid] += report.duration
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        sys.settrace(None)
        lines = [[test, source, sorted(found)] for (test, source), found in self._lines.items()]
        # What begins with an underscore is loaded by the module whose inside it is, and may break without that.
        loaded = sorted(
            name for name, module in sys.modules.items() if name[0] != "_" and self._is_foreign(module)
        )
        told = {"lines": lines, "seconds": self._seconds, "failed": self._failed, "modules": loaded}
        self._target.write_text(json.dumps(told))

    def _is_foreign(self, module: ModuleType) -> bool:
        file = getattr(module, "__file__", None)
        return file is not None and not file.startswith(f"{self._root}/")

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        source = self._names.get(frame.f_code.co_filename)
        if source is None:
            return None
        found = self._lines[self._now, source]
        found.add(frame.f_lineno)

        def on_line(inner: FrameType, event: str, _argument: Any) -> Any:
            if event == "line":
                found.add(inner.f_lineno)
            return on_line

        return on_line


class Chosen:
    """Runs the tests of a list, in its order, and none besides; notes the first that fails."""

    def __init__(self, tests: list[str], target: Path) -> None:
        self._order = {test: place for place, test in enumerate(tests)}
        self._target = target

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep what was chosen."""
        chosen = sorted(
            (item for item in items if item.nodeid in self._order), key=lambda item: self._order[item.nodeid]
        )
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in self._order])
        items[:] = chosen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed and not self._target.exists():
            self._target.write_text(report.nodeid)
