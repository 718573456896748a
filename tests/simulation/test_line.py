"""P3: engines that come, go and come back, and a gateway that never shows an older link for a newer one."""

from __future__ import annotations

import pytest

from tests.simulation import seeds
from tests.simulation.line import simulate

CHUNKS, SEEDS = 2, 640
KNOWN = tuple(range(20))


@pytest.mark.parametrize("number", range(CHUNKS))
def test_p3_the_newest_link_counts_and_every_engine_comes_back(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in seeds.chunk(SEEDS, number, CHUNKS, KNOWN):
        seeds.try_seed("tests/simulation/test_line.py", simulate, seed, monkeypatch=monkeypatch)
