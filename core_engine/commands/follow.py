"""Keeps the events of runs in order and free of repeats on one connection, with direct answers in their place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from core_engine.kernel.ports import Frame, Sink

MAX_RUNS = 4096
MAX_HELD = 10_000
_RUN_OF = itemgetter("job_id")


@dataclass(slots=True)
class _Stream:
    """One run on one connection: what was delivered, and what waits for a direct answer."""

    last_seq: int = 0
    holds: int = 0
    held: list[Frame] = field(default_factory=list)
    end: Callable[[], None] | None = None

    def take(self, frames: Iterable[Frame]) -> list[Frame]:
        """Return those to deliver now; while an answer is waited for, they are held unless they are too many."""
        if not self.holds:
            return self.take_fresh(frames)
        self.held += frames
        if len(self.held) <= MAX_HELD:
            return []
        end = len(self.held) - len(self.held) % (MAX_HELD + 1)
        full, self.held = self.held[:end], self.held[end:]
        return self.take_fresh(full)

    def take_fresh(self, frames: Iterable[Frame]) -> list[Frame]:
        """Return the frames that were not delivered yet and count them as delivered."""
        fresh, last_seq = [], self.last_seq
        for frame in frames:
            seq = frame["seq"]
            if seq > last_seq:
                last_seq = seq
                fresh.append(frame)
        self.last_seq = last_seq
        return fresh


class Follows:
    """The runs that one connection follows.

    A command such as stop is answered with an event that also reaches the followers of the run. Between
    `hold` and `settle` the run's events wait, so that the event is delivered once, as the answer (it carries
    the ``request_id``), and in its place.
    """

    def __init__(self, deliver: Sink) -> None:
        self._deliver = deliver
        self._streams: OrderedDict[str, _Stream] = OrderedDict()

    def __call__(self, frames: Sequence[Frame]) -> None:
        """Deliver events of runs; this object is the sink that runs are given."""
        ready: list[Frame] = []
        for run_id, of_run in groupby(frames, _RUN_OF):
            ready += self._stream(run_id).take(of_run)
        if ready:
            self._deliver(ready)

    def hold(self, run_id: str) -> None:
        """Let the run's events wait until `settle`."""
        self._stream(run_id).holds += 1

    def settle(self, run_id: str, answer: Frame | None) -> None:
        """Deliver what waited, with the answer in its place; None when the command failed."""
        stream = self._stream(run_id)
        stream.holds = max(0, stream.holds - 1)
        held, stream.held = stream.held, []
        ready: list[Frame] = []
        if answer is not None:
            seq = answer["seq"]
            before = [frame for frame in held if frame["seq"] < seq]
            ready = [*stream.take_fresh(before), answer]
            stream.last_seq = max(stream.last_seq, seq)
        ready += stream.take(held)
        if ready:
            self._deliver(ready)

    def restart(self, run_id: str, after_seq: int) -> None:
        """Stop following a run and forget what was delivered after ``after_seq``: it is asked for again."""
        stream = self._stream(run_id)
        if stream.end:
            stream.end()
            stream.end = None
        stream.last_seq = after_seq

    def ends_with(self, run_id: str, unsubscribe: Callable[[], None]) -> None:
        """Remember how to stop following a run."""
        self._stream(run_id).end = unsubscribe

    def _stream(self, run_id: str) -> _Stream:
        stream = self._streams.get(run_id)
        if stream is None:
            stream = self._streams[run_id] = _Stream()
            if len(self._streams) > MAX_RUNS:
                # Only the memory of the longest known run goes; whoever still follows it keeps doing so.
                self._streams.popitem(last=False)
        return stream
