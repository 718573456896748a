"""Which seeds are tried: new ones in every run of the tests, some that once found something in all of them.

``SIM_SEED`` tries one, ``TEST_SEED`` decides which are new, ``SIM_SEEDS`` is their number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.support.seed import base_seed


def chunk(count: int, number: int = 0, of: int = 1, known: Sequence[int] = ()) -> Iterator[int]:
    """Yield a chunk's share of ``count`` new seeds, and before them of those that found something once.

    ``SIM_SEED`` is tried by the first chunk alone.
    """
    if only := os.environ.get("SIM_SEED"):
        yield from [int(only)] if number == 0 else []
        return
    yield from known[number::of]
    first = base_seed() + number * 10**6
    yield from range(first, first + int(os.environ.get("SIM_SEEDS", count)) // of)


def try_seed(module: str, simulate: Callable[..., Any], seed: int, **more: Any) -> Any:
    """Run one seed; what goes wrong is told with the way to see it again."""
    try:
        return simulate(seed=seed, **more)
    except BaseException as error:
        told = f"seed {seed}: {type(error).__name__}: {error}"
        raise AssertionError(f"{told}\nagain: SIM_SEED={seed} pytest {module}") from error
