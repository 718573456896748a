"""What a component may ask for when it starts runs."""

from __future__ import annotations

from typing import Any

import pytest

from core_engine.kernel.family import ChildRuns
from core_engine.kernel.suspension import Suspend


@pytest.mark.parametrize(
    "wrong", [{}, {"items": [], "source": {}}, {"items": [], "parallel": 0}, {"items": [], "parallel": 65},
              {"items": [], "first": -1}],
)  # fmt: skip
def test_what_could_not_be_carried_out_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Runs need|can go on|numbered"):
        ChildRuns(**wrong)


def test_a_wait_for_runs_ends_with_them_and_by_nothing_else() -> None:
    runs = ChildRuns(items=[1])
    assert Suspend(runs=runs).due(1000) is None
    for more in ({"after_ms": 1}, {"until_ms": 1}, {"signal": "approval"}, {"prompt": {}}):
        with pytest.raises(ValueError, match="nothing else"):
            Suspend(runs=runs, **more)
