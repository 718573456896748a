"""P10, P11: the engine's process dies, or its disk refuses, at each single write, sync, cut and rename of a session.

Every run of the tests takes some of the points, others each time; ``FAULT_POINTS=all`` takes every one, ``FAULT_AT``
the one that a failure names.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.points import Points
from tests.faults.preload import build
from tests.faults.session import lines
from tests.support.seed import base_seed

STRIDE = {"die": 7, "fail": 14}
"""Of so many points one is tried, with one of the kinds in turn."""
DEATHS = ("die before", "die torn", "die after")
FAULTS = ("write ENOSPC", "sync EIO", "short write", "write EIO")
FULL_FOR = 3
"""So many calls in a row find no room."""
SURE = {"short write"}
"""What a session must get over without ending."""
Case = tuple[str, int, int]


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Points]:
    with Points(build("disk_points.c", tmp_path_factory.mktemp("library"))) as made:
        yield made


class Trial:
    """Sessions that start from the same folder, each with one thing that goes wrong."""

    def __init__(self, points: Points, folder: Path) -> None:
        self._points = points
        self._folder = folder
        self._template = folder / "template"
        self._template.mkdir()
        assert points.run(self._template, "make") == 0, lines(self._template / "mistakes")
        whole = self._fresh("whole")
        self.count = points.count(whole)
        assert points.run(whole, "judge") == 0
        assert lines(whole / "verdict") == []

    def _fresh(self, name: str) -> Path:
        return Path(shutil.copytree(self._template, self._folder / name))

    def cases(self, kinds: tuple[str, ...], stride: int) -> Iterator[Case]:
        """Yield how, where, and where in the life after it the process dies once more (0: nowhere)."""
        if at := os.environ.get("FAULT_AT"):
            how, first, again = at.split(":")
            yield from [(how, int(first), int(again))] if how in kinds else []
            return
        rng = random.Random(base_seed())
        if os.environ.get("FAULT_POINTS") == "all":
            places = [(how, first) for first in range(1, self.count + 1) for how in kinds]
        else:
            turn = rng.randrange(len(kinds))
            places = [
                (kinds[(turn + number) % len(kinds)], first)
                for number, first in enumerate(range(1 + rng.randrange(stride), self.count + 1, stride))
            ]
        for how, first in places:
            yield how, first, rng.randint(1, self.count // 2) if rng.random() < 0.25 else 0

    def problems(self, how: str, first: int, again: int) -> list[str]:
        """Let a session go wrong, let the next one die or not, then see everything come to its end."""
        folder = self._fresh(f"{how} {first} {again}".replace(" ", "-"))
        code = self._points.run(folder, how=how, first=first, many=FULL_FOR if how == "write ENOSPC" else 1)
        if how in SURE and code != 0:
            return [f"it ended with {code}: {lines(folder / 'refused') or lines(folder / 'mistakes')}"]
        if again:
            self._points.run(folder, how="die before", first=again)
        if (last := self._points.run(folder)) != 0:
            return [
                f"the next start ended with {last}",
                *lines(folder / "mistakes"),
                *lines(folder / "refused"),
            ]
        self._points.run(folder, "judge")
        found = [*lines(folder / "verdict"), *lines(folder / "mistakes")]
        if not found:
            shutil.rmtree(folder)
        return found

    def tell(self, kinds: tuple[str, ...], stride: int) -> dict[str, list[str]]:
        """Return what went wrong, by the ``FAULT_AT`` that repeats it."""
        tried = {f"{how}:{first}:{again}": self.problems(how, first, again)
                 for how, first, again in self.cases(kinds, stride)}  # fmt: skip
        assert tried
        return {name: found for name, found in tried.items() if found}


@pytest.fixture(scope="module")
def trial(points: Points, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return Trial(points, tmp_path_factory.mktemp("sessions"))


def test_p10_killed_at_any_write_or_sync_nothing_acknowledged_is_lost(trial: Trial) -> None:
    assert trial.tell(DEATHS, STRIDE["die"]) == {}


def test_p11_whatever_write_or_sync_fails_nothing_acknowledged_is_lost(trial: Trial) -> None:
    assert trial.tell(FAULTS, STRIDE["fail"]) == {}
