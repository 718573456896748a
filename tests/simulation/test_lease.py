"""P4: steps at workers: one holder at a time, whatever is lost, repeated, late or dead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation import seeds
from tests.simulation.lease import Database, simulate
from tests.support.postgres import postgres_server

SEEDS = 160
KNOWN = (*range(6), 777561, 24946142)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with postgres_server() as server:
        made = Database(server)
        yield made
        made.close()


def test_p4_a_step_is_never_in_two_hands(database: Database) -> None:
    for seed in seeds.chunk(SEEDS, known=KNOWN):
        seeds.try_seed("tests/simulation/test_lease.py", simulate, seed, database=database)
