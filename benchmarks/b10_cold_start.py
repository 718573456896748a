"""B10: how long gateway and engine take from nothing to healthy, and what memory they hold at rest."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.figures import Row, Scale
from benchmarks.servers import engine, gateway
from shared.signing.keys import WalletKey

WORK = "cold start and memory at rest"
DEADLINE_SECONDS = 120
GOAL_SECONDS, GOAL_MB = 1.5, 120.0
Start = Callable[[Path], AbstractContextManager[dict[str, Any]]]


def measure(scale: Scale) -> list[Row]:
    """Return start and memory of each, against the goal itself: there is no peer to compare with."""
    owner = WalletKey.create()[0].address
    kinds: dict[str, Start] = {"gateway": gateway, "engine": lambda folder: engine(folder, owner)}
    rows = []
    for name, start in kinds.items():
        seconds, megabytes = zip(*(once(start) for _ in range(scale.rounds)), strict=True)
        middle = statistics.median(seconds)
        rows.append(
            Row("B10", f"{name}: start to ready", "s", middle, GOAL_SECONDS, "goal", 1.0, at_least=False)
        )
        held = statistics.median(megabytes)
        rows.append(Row("B10", f"{name}: memory at rest", "MB", held, GOAL_MB, "goal", 1.0, at_least=False))
    return rows


def once(start: Start) -> tuple[float, float]:
    """Start once; return the seconds until it listens, and its resident memory."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with start(Path(folder)) as at:
            seconds = time.perf_counter() - began
            time.sleep(1.0)
            return seconds, resident(at["process"]) / 1e6


def resident(process: int) -> float:
    """Return the resident bytes of a process with its children; pages that they share are counted once."""
    main = psutil.Process(process)
    family = [each.memory_full_info() for each in (main, *main.children(recursive=True))]
    return float(sum(each.uss for each in family) + max(each.rss - each.uss for each in family))
