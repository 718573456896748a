"""P1, P2: thousands of lives of the engine's runner under seeded schedules, virtual time and faults."""

from __future__ import annotations

import pytest

from tests.simulation import seeds
from tests.simulation.runner import simulate

CHUNKS, SEEDS = 8, 2304
KNOWN = (*range(40), 108122552, 157101702, 608468830, 1777698)
"""Seeds of every run; what a new one finds is added here."""


@pytest.mark.parametrize("number", range(CHUNKS))
def test_p1_whatever_happens_the_journal_is_right_and_everything_ends(number: int) -> None:
    for seed in seeds.chunk(SEEDS, number, CHUNKS, KNOWN):
        seeds.try_seed("tests/simulation/test_runner.py", simulate, seed)


def test_a_seed_gives_the_same_life_again() -> None:
    assert [simulate(seed).trace for seed in range(8)] == [simulate(seed).trace for seed in range(8)]
