"""The garbage collector during a start and after it, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import gc
from shared import collector

class Ring:
    alive = 0
    def __init__(self):
        self.me = self
        Ring.alive += 1
    def __del__(self):
        Ring.alive -= 1

kept = Ring()
collector.pause()
rings = [Ring() for _ in range(50_000)]
del rings
print(Ring.alive)
collector.resume()
print(gc.collect(), Ring.alive)
for _ in range(50_000):
    Ring()
print(Ring.alive < 25_000 + 50_001)
"""


def test_nothing_is_collected_during_a_start_and_garbage_is_after_it() -> None:
    """What was made before is never looked through again; what is made afterwards is not kept for ever."""
    told = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=True
    )
    assert told.stdout.split() == ["50001", "0", "50001", "True"]
