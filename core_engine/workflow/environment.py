"""What every run of an engine shares."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core_engine.kernel.context import Files
from core_engine.kernel.ports import EndedRun, RaisedAlarm
from core_engine.workflow.expressions import Variables
from core_engine.workflow.slots import Slots
from core_engine.workflow.threads import StepThreads
from shared.clock import Clock


def _nobody(_run: EndedRun) -> bool:
    return False


def _unheard(_alarm: RaisedAlarm) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Environment:
    """The surroundings of runs.

    ``thread_id`` is the event loop's thread, ``epoch`` the engine's start number. A run calls ``wake`` when it
    could go on, and ``touch`` when it has records that are not on their way to the journal yet. ``secrets`` gives
    the texts that no log line, popup or error may show; it is called from any thread. ``wants_end`` says whether
    somebody must be told of a run's end, ``alarm`` takes the alarms of runs.
    """

    loop: asyncio.AbstractEventLoop
    thread_id: int
    clock: Clock
    rng: random.Random
    files: Files
    variables: Variables
    threads: StepThreads
    slots: Slots[Any]
    parallel_per_run: int
    epoch: int
    wake: Callable[[Any], None]
    touch: Callable[[Any], None]
    secrets: Callable[[], Sequence[str]] = tuple
    wants_end: Callable[[EndedRun], bool] = _nobody
    alarm: Callable[[RaisedAlarm], None] = _unheard
