"""How a step waits without running: what it gives back to be put aside, and what ends the wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from core_engine.kernel.family import ChildRuns, RunsOutcome

APPROVAL = "approval"
"""The signal that a person's approval or rejection gives."""
RUNS = "runs"
"""The signal that the ends of a step's runs give."""
EVENT = "event"
"""The signal that an event gives."""
LONGEST_EVENT = 200
"""Characters of an event's name or correlation value."""
LATEST_MS = 253_402_300_799_999
"""The last moment that ISO 8601 can say."""


class Ending(StrEnum):
    """What ended a wait. DUE: its time came. TIMEOUT: its time came before the signal it waited for.

    ENDED: the runs it waited for have ended. EVENT: the event came.
    """

    APPROVED = "approved"
    REJECTED = "rejected"
    DUE = "due"
    TIMEOUT = "timeout"
    ENDED = "ended"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class AwaitedEvent:
    """An event by its name and, unless empty, its correlation value; ``token`` is a secret that stands for it too."""

    name: str
    correlation: str
    token: str

    def __post_init__(self) -> None:
        """Refuse what could be guessed."""
        if len(self.token) < 32 or not self.token.isascii():
            raise ValueError("A wait's token is a long random text.")


@dataclass(frozen=True, slots=True)
class Suspend:
    """Given back by a component instead of a `Result`: the step is put aside, and nothing of it runs.

    The wait ends at ``until_ms`` (Unix time), ``after_ms`` from now, or by the ``signal``, whichever comes first;
    one must be given. The wait is in the journal, so it lasts over restarts; time goes on while the engine is down
    or the run is paused. ``prompt`` says what is asked of a person: ``title`` and ``message``. Afterwards the
    component's `resume` is called. With ``runs``, and nothing else, the wait ends when these have ended.
    ``event`` is a signal of its own.
    """

    until_ms: int | None = None
    signal: str | None = None
    prompt: Mapping[str, str] | None = None
    after_ms: int | None = None
    runs: ChildRuns | None = None
    event: AwaitedEvent | None = None

    def __post_init__(self) -> None:
        """Refuse a wait that nothing can end, and what the journal could not say."""
        times = [time for time in (self.until_ms, self.after_ms) if time is not None]
        if self.runs is not None:
            if times or self.signal is not None or self.prompt is not None or self.event is not None:
                raise ValueError("A wait for runs ends with them and by nothing else.")
            return
        if self.event is not None and self.signal is not None:
            raise ValueError("A wait for an event has no other signal.")
        if not times and self.signal is None and self.event is None:
            raise ValueError("A wait needs a time or a signal that ends it.")
        if not all(map(_is_time, times)):
            raise ValueError("A wait's time is a whole number of milliseconds, not after the year 9999.")
        if self.signal is not None and not self.signal.isidentifier():
            raise ValueError("A wait's signal is a name.")
        if self.prompt is not None and not _is_prompt(self.prompt):
            raise ValueError("A wait's prompt holds texts.")

    def due(self, now_ms: int) -> int | None:
        """Return when the wait that begins now ends at the latest, in Unix milliseconds."""
        after = None if self.after_ms is None else min(now_ms + self.after_ms, LATEST_MS)
        times = [time for time in (self.until_ms, after) if time is not None]
        return min(times) if times else None


@dataclass(frozen=True, slots=True)
class Answer:
    """What ended a step's wait; ``by`` is the address of who answered, in lower case, None for a time.

    ``runs`` tells of the runs that were waited for, ``data`` is what an event brought.
    """

    ending: Ending
    by: str | None = None
    comment: str = ""
    runs: RunsOutcome | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """A person's answer as it arrived, with the proof of who gave it.

    ``message`` is the signed text, ``signature`` made by ``signer`` (another address than ``answer.by`` where a
    session key signed for the wallet). ``bound`` tells whether it covers ``payload``, the command as it was sent.
    """

    answer: Answer
    message: str
    signature: str
    signer: str
    bound: bool
    payload: str
    approval_id: str | None = None


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LATEST_MS


def _is_prompt(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(text, str) for text in value.values())
