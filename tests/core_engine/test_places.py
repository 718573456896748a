"""The lists of `tests.core_engine.places` name tests that are there: a wrong name would take one away in silence."""

from __future__ import annotations

import re
from pathlib import Path

from tests.core_engine import places

HERE = Path(places.__file__).parent


def named(module: str) -> set[str]:
    path = HERE.joinpath(*module.split(".")).with_suffix(".py")
    return set(re.findall(r"^async def (test_\w+)", path.read_text(), re.MULTILINE))


def test_every_name_is_that_of_a_test() -> None:
    known = {module: named(module) for module in places.SUITE}
    everywhere = set().union(*known.values())
    assert not (set(places.NOT_ON_POSTGRES) | set(places.NOT_ON_WORKERS)) - everywhere
    assert places.JOURNAL <= places.SUITE
    for module, names in places.BY_DEFAULT.items():
        assert names <= known[module], module
        assert not names & (set(places.NOT_ON_POSTGRES) | set(places.NOT_ON_WORKERS))
