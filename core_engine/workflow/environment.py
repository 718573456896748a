"""What every run of an engine shares."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core_engine.kernel.context import Files
from core_engine.kernel.family import CalledWorkflow, RunsOutcome
from core_engine.kernel.ports import EndedRun, RaisedAlarm
from core_engine.workflow.expressions import Variables
from core_engine.workflow.records import StepResumed
from core_engine.workflow.slots import Slots
from core_engine.workflow.threads import StepThreads
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError


class Household(Protocol):
    """Who owns the runs that waiting steps have started; a run calls it on the event loop's thread."""

    def begin(self, run: Any, node: int) -> None:
        """Carry out the runs that a step waits for: its wait is in the journal."""
        ...

    def look(self, run: Any) -> None:
        """End the runs of steps that do not wait for them any more."""
        ...

    def paused(self, run: Any) -> None:
        """Pause the runs of a run's steps."""
        ...

    def resumed(self, run: Any) -> None:
        """Let them go on."""
        ...

    def outcome(self, run: Any, record: StepResumed) -> RunsOutcome | None:
        """Return how a step's runs ended."""
        ...


class Executor(Protocol):
    """Carries out steps whose start is in the journal; called on the event loop's thread only."""

    def sends(self, host: Any, node: Any) -> bool:
        """Tell whether the node's steps are carried out elsewhere, maybe later; then it calls `Host.step_began`."""
        ...

    def launch(self, host: Any, attempt: Any, context: Any, config: Any, payload: Any) -> None:
        """Start a step; the host's `step_returned` is called exactly once, with its end or a `StepLost`.

        Cancelling ``attempt.task``, where it sets one, ends the step wherever it runs.
        """
        ...

    def regains(self, host: Any, attempt: Any, context: Any) -> bool:
        """Follow on an attempt that an earlier process of this engine had launched; False: it is lost."""
        ...

    def outlives(self, attempt: Any) -> bool:
        """Tell whether a launched attempt goes on when this process ends, so that the next one can regain it."""
        ...


def no_presets(name: str) -> CalledWorkflow:
    """Know no saved workflow."""
    raise FloworkError(ErrorCode.NOT_FOUND, f"There is no preset {name!r}.")


async def no_texts(template: str, values: dict[str, Any]) -> str:  # noqa: ARG001 - the interface's
    """Render no template."""
    message = "There is no locked process here in which a template could be rendered."
    raise FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, message)


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
    somebody must be told of a run's end, ``alarm`` takes the alarms of runs. ``presets`` looks a saved workflow up; it
    blocks, so it is called on threads. ``write_text`` renders a Jinja2 template in a locked process.
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
    family: Household
    executor: Executor
    secrets: Callable[[], Sequence[str]] = tuple
    wants_end: Callable[[EndedRun], bool] = _nobody
    alarm: Callable[[RaisedAlarm], None] = _unheard
    presets: Callable[[str], CalledWorkflow] = no_presets
    write_text: Callable[[str, dict[str, Any]], Awaitable[str]] = no_texts
