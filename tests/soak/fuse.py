"""Whether a step was rightly given up: its journal shows so many beginnings, and a kill cut off each of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from tests.soak.chaos import Act

MOST_CUT_OFF = 3
GIVEN_UP = f"; that happened {MOST_CUT_OFF} times, so it is not tried again."
KILLS = frozenset({"kill engine", "kill worker"})


def rightly_given_up(frames: Sequence[dict[str, Any]], acts: Sequence[Act], epoch: float) -> bool:
    """Tell whether the one failed step of a run began so often, and was cut off each time.

    ``frames`` are the events of the run from its first on, ``epoch`` is Unix time less the acts' monotonic time. The
    kills must be as many different ones, each of which was not over before its beginning and had begun before what
    came after it.
    """
    told = [frame for frame in frames if frame["type"] == "NODE_EXECUTION_METRIC"]
    ends = [frame for frame in told if frame["status"] == "ERROR"]
    if len(ends) != 1 or not ends[0]["error"].endswith(GIVEN_UP):
        return False
    moments = [frame for frame in told if frame["node_id"] == ends[0]["node_id"]]
    attempts = [(frame["status"], frame["attempt"]) for frame in moments]
    if attempts != [*(("RUNNING", number + 1) for number in range(MOST_CUT_OFF)), ("ERROR", MOST_CUT_OFF)]:
        return False
    at = [frame["timestamp"] - epoch for frame in moments]
    kills = iter(sorted((act for act in acts if act.what in KILLS), key=lambda act: act.begun))
    return all(
        any(kill.ended >= begun and kill.begun <= after for kill in kills)
        for begun, after in itertools.pairwise(at)
    )
