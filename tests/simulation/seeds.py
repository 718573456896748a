"""Which seeds are tried: so many in every run of the tests, one by `SIM_SEED`, more by `SIM_SEEDS` or by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any


def chunk(number: int, of: int, count: int) -> Iterator[int]:
    """Yield a chunk's share of the seeds; ``SIM_SEED`` is tried by the first chunk alone."""
    if only := os.environ.get("SIM_SEED"):
        yield from [int(only)] if number == 0 else []
        return
    first, count = int(os.environ.get("SIM_FIRST", "0")), int(os.environ.get("SIM_SEEDS", count))
    yield from range(first + number, first + count, of)


def try_seed(name: str, simulate: Callable[..., Any], seed: int, *args: Any) -> Any:
    """Run one seed; what goes wrong is told with the way to see it again."""
    try:
        return simulate(seed, *args)
    except BaseException as error:
        told = f"seed {seed}: {type(error).__name__}: {error}"
        raise AssertionError(
            f"{told}\nagain: SIM_SEED={seed} pytest tests/simulation/test_{name}.py"
        ) from error
