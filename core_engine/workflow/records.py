"""What the journal of a run consists of.

Records are stored as JSON arrays in the order of their fields. A field is only ever added at the end, with a
default, and never removed: journals of every released version stay readable. ``seq`` is the number of the
first event that the record gives to whoever follows the run (`projection`), ``at`` is Unix milliseconds; nodes
and connections are named by their place in the workflow.
"""

from __future__ import annotations

from typing import Any

import msgspec

Outputs = dict[str, msgspec.Raw]


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What every record has."""

    seq: int
    at: int


class RunAccepted(Record, frozen=True, tag="accepted"):
    """The run exists. ``initial`` is its payload as JSON (or a reference), ``epoch`` the engine's start number.

    The last five are those of `core_engine.kernel.ports.StartRun`; ``parent`` is a run id, node id and item.
    """

    run_id: str
    started_by: str
    mode: str
    preset: str | None
    workflow: str
    start_node: int | None
    initial: msgspec.Raw
    epoch: int
    nodes: int
    edges: int
    parent: tuple[str, str, int] | None = None
    effect_key: str | None = None
    origin: str = "command"
    options: dict[str, Any] | None = None
    trace: str | None = None


class StepStarted(Record, frozen=True, tag="started"):
    """An attempt may run from here on. ``fence`` is the engine's epoch: results of older ones are refused."""

    node: int
    attempt: int
    fence: int
    policy: str


class StepRan(Record, frozen=True, tag="ran"):
    """A short repeatable step started (``at``) and ended well ``ms`` later, in one: see `StepFinished`."""

    node: int
    attempt: int
    ms: float
    outputs: Outputs
    taken: tuple[int, ...]


class LogWritten(Record, frozen=True, tag="log"):
    """A line of the run's log."""

    node: int | None
    level: str
    source: str
    message: str


class PopupShown(Record, frozen=True, tag="popup"):
    """Something to show to whoever watches."""

    node: int
    title: str
    content: msgspec.Raw
    config: dict[str, Any]


class StepFinished(Record, frozen=True, tag="finished"):
    """A step's result: a payload per active port, and the connections it opened. ``ms`` is how long it took."""

    node: int
    attempt: int
    ms: float
    outputs: Outputs
    taken: tuple[int, ...]


class StepPassed(Record, frozen=True, tag="passed"):
    """A disabled node let its payload through."""

    node: int
    outputs: Outputs
    taken: tuple[int, ...]


class StepFailed(Record, frozen=True, tag="failed"):
    """An attempt failed. With ``retry_at`` (Unix ms) another follows, else the error port's connections opened."""

    node: int
    attempt: int
    ms: float
    code: str
    error: str
    retry_at: int | None
    outputs: Outputs
    taken: tuple[int, ...]


class StepUnknown(Record, frozen=True, tag="unknown"):
    """The engine died during a step that must not be repeated: whether its effect happened is not known."""

    node: int
    attempt: int
    error: str
    outputs: Outputs
    taken: tuple[int, ...]


class StepInterrupted(Record, frozen=True, tag="interrupted"):
    """An attempt ended without a result and the step will be tried again; ``crash`` unless it was a clean stop."""

    node: int
    crash: bool


class StepCancelled(Record, frozen=True, tag="cancelled"):
    """An attempt was interrupted by a stop of the run."""

    node: int
    attempt: int
    error: str


class StopRequested(Record, frozen=True, tag="stop"):
    """Someone stopped the run."""

    by: str


class RunPaused(Record, frozen=True, tag="paused"):
    """Someone paused the run."""

    by: str


class RunResumed(Record, frozen=True, tag="resumed"):
    """Someone let the run go on."""

    by: str


class RunFinished(Record, frozen=True, tag="end"):
    """Nothing more happens in the run."""

    status: str
    error: str | None


class StepSuspended(Record, frozen=True, tag="suspended"):
    """A step waits until a time (``until``, Unix ms) or a signal; ``prompt`` is what is asked of a person.

    ``runs`` holds, as ``spec``, the runs that it waits for (`core_engine.workflow.children`), ``event`` the ``name``,
    ``correlation`` and ``token`` of an event.
    """

    node: int
    attempt: int
    wait_id: str
    until: int | None
    signal: str | None
    prompt: dict[str, str] | None
    runs: Outputs | None = None
    event: dict[str, str] | None = None


class StepResumed(Record, frozen=True, tag="answered"):
    """A wait is over. ``by`` answered it (an address), ``proof`` is the signed command that did; both None for a time.

    Another `StepStarted` with the same attempt follows when the step goes on. ``outcome`` tells of the runs that it
    waited for, ``brought`` holds as ``data`` what an event brought.
    """

    node: int
    attempt: int
    ending: str
    by: str | None
    comment: str
    proof: dict[str, Any] | None
    outcome: dict[str, Any] | None = None
    brought: Outputs | None = None


class LoopProgressed(Record, frozen=True, tag="progress"):
    """How far the runs of a waiting step are; ``total`` is None while nobody knows how many there will be."""

    node: int
    done: int
    failed: int
    total: int | None
    running: int


class StepSpent(Record, frozen=True, tag="spent"):
    """A step used something that costs: ``kind`` names what, ``cost`` is a decimal number as text.

    ``estimated`` when the tokens were not counted by who sold them.
    """

    node: int
    attempt: int
    kind: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: str
    currency: str
    estimated: bool


class StepLooped(Record, frozen=True, tag="looped"):
    """A run of a node that loops ended well, and another follows, at once or at ``until`` (Unix ms).

    ``iteration`` is the number of the one that ended, from 0; its first port's payload is given to the next.
    """

    node: int
    attempt: int
    iteration: int
    ms: float
    outputs: Outputs
    until: int | None


class JoinExpired(Record, frozen=True, tag="join_expired"):
    """A node waited long enough for its other inputs and goes on with those that are there."""

    node: int


class FinallyStarted(Record, frozen=True, tag="finally"):
    """The main part has ended like this; what is to run finally is given ``payload``. ``run`` is the run's status."""

    status: str
    error: str | None
    payload: msgspec.Raw
    run: str


class RoundStarted(Record, frozen=True, tag="round"):
    """A round ended well; round ``number`` (from 0) begins with fresh nodes, at once or at ``until`` (Unix ms).

    ``status`` is the run's, which goes on.
    """

    number: int
    rounds: int
    until: int | None
    status: str


class DeadlinePassed(Record, frozen=True, tag="deadline"):
    """The run took longer than it may; everything is interrupted and it ends FAILED."""

    error: str


class AlarmRaised(Record, frozen=True, tag="alarm"):
    """The run is late or stuck."""

    kind: str
    message: str


class StepSeeded(Record, frozen=True, tag="seeded"):
    """A step got its result without running: one of a past run (``source``, its id), or a fixed one (``pinned``).

    ``status`` is SUCCESS, ERROR, or SKIPPED for a step that is left out. ``error`` is what a failed one said.
    """

    node: int
    status: str
    outputs: Outputs
    taken: tuple[int, ...]
    source: str | None
    pinned: bool
    error: str | None


class BreakpointsSet(Record, frozen=True, tag="breakpoints"):
    """From here on data stops at these connections, and at no others."""

    edges: tuple[int, ...]
    by: str


class BreakpointHit(Record, frozen=True, tag="hit"):
    """Data waits at a connection. ``preview`` is the beginning of it, as JSON text without secret values."""

    edge: int
    preview: str


class BreakpointsPassed(Record, frozen=True, tag="passed_on"):
    """Someone let data go on along these connections; with ``step`` it stops again at whichever comes next."""

    edges: tuple[int, ...]
    step: bool
    by: str


AnyRecord = (
    RunAccepted
    | StepStarted
    | StepRan
    | LogWritten
    | PopupShown
    | StepFinished
    | StepPassed
    | StepFailed
    | StepUnknown
    | StepInterrupted
    | StepCancelled
    | StopRequested
    | RunPaused
    | RunResumed
    | RunFinished
    | StepSuspended
    | StepResumed
    | StepSpent
    | StepLooped
    | JoinExpired
    | FinallyStarted
    | RoundStarted
    | DeadlinePassed
    | AlarmRaised
    | StepSeeded
    | BreakpointsSet
    | BreakpointHit
    | BreakpointsPassed
    | LoopProgressed
)
