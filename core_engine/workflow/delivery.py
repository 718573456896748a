"""Hands the events of runs to those who follow them: in order, without gap or repeat, many at a time."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Sequence

from core_engine.kernel.ports import Frame, Sink

_LOG = logging.getLogger(__name__)
_MOST_HELD = 20_000
_CHUNK = 500


class Subscription:
    """One sink following one run from event ``next_seq`` on.

    With ``children`` the sink also follows the runs that the run's steps start.
    While ``held`` is a list the sink is still being given past events; what happens meanwhile waits there.
    """

    __slots__ = ("children", "closed", "held", "next_seq", "overflowed", "run_id", "sink")

    def __init__(self, run_id: str, sink: Sink, next_seq: int, *, live: bool) -> None:
        self.run_id = run_id
        self.sink = sink
        self.next_seq = next_seq
        self.children = False
        self.held: list[Frame] | None = None if live else []
        self.overflowed = False
        self.closed = False

    def due(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Return those of a run's next events that the sink has not had, and count them as given."""
        if not frames or frames[-1]["seq"] < self.next_seq:
            return ()
        if frames[0]["seq"] < self.next_seq:
            frames = [frame for frame in frames if frame["seq"] >= self.next_seq]
        self.next_seq = frames[-1]["seq"] + 1
        return frames

    def hold(self, frames: Sequence[Frame]) -> None:
        """Keep events for later; when they become too many, the journal is read once more instead."""
        if self.held is not None:
            self.held.extend(frames)
            if len(self.held) > _MOST_HELD:
                self.held.clear()
                self.overflowed = True


class Delivery:
    """All subscriptions. A sink that raises is taken out of every run; the others are not disturbed."""

    def __init__(self) -> None:
        self._by_run: dict[str, dict[Sink, Subscription]] = {}
        self._by_sink: dict[Sink, set[str]] = {}

    def follow(self, run_id: str, sink: Sink, next_seq: int, *, live: bool) -> Subscription:
        """Subscribe a sink to a run; an earlier subscription of the same sink to it ends."""
        followers = self._by_run.setdefault(run_id, {})
        if sink in followers:
            followers[sink].closed = True
        subscription = followers[sink] = Subscription(run_id, sink, next_seq, live=live)
        self._by_sink.setdefault(sink, set()).add(run_id)
        return subscription

    def follow_child(self, parent_id: str, run_id: str) -> None:
        """Have those who follow a run with its children follow a new one from its first event on."""
        for subscription in list(self.followers(parent_id)):
            if subscription.children:
                self.follow(run_id, subscription.sink, 1, live=True).children = True

    def follows(self, run_id: str, sink: Sink) -> bool:
        """Tell whether the sink follows the run."""
        return sink in self._by_run.get(run_id, ())

    def drop(self, subscription: Subscription) -> None:
        """End one subscription."""
        subscription.closed = True
        followers = self._by_run.get(subscription.run_id, {})
        if followers.get(subscription.sink) is subscription:
            self._remove(subscription.run_id, subscription.sink)

    def drop_sink(self, sink: Sink) -> None:
        """End every subscription of a sink."""
        for run_id in self._by_sink.pop(sink, ()):
            followers = self._by_run[run_id]
            followers.pop(sink).closed = True
            if not followers:
                del self._by_run[run_id]

    def drop_run(self, run_id: str) -> None:
        """Forget a run that has ended, except for sinks that are still being given past events."""
        for subscription in list(self.followers(run_id)):
            if subscription.held is None:
                self._remove(run_id, subscription.sink)

    @property
    def followed(self) -> Container[str]:
        """The ids of the runs that anyone follows."""
        return self._by_run

    def followers(self, run_id: str) -> Iterable[Subscription]:
        """Return the subscriptions of a run."""
        return self._by_run.get(run_id, {}).values()

    def publish(self, news: Iterable[tuple[str, Sequence[Frame]]]) -> None:
        """Give each sink the events of all its runs in one call."""
        outgoing: dict[Sink, list[Frame]] = {}
        for run_id, frames in news:
            for subscription in self.followers(run_id):
                if subscription.held is not None:
                    subscription.hold(frames)
                else:
                    outgoing.setdefault(subscription.sink, []).extend(subscription.due(frames))
        for sink, frames in outgoing.items():
            if frames:
                self._give(sink, frames)

    def give(self, subscription: Subscription, frames: Sequence[Frame]) -> None:
        """Give one subscription past events, in pieces small enough for a connection's outbox."""
        due = subscription.due(frames)
        for start in range(0, len(due), _CHUNK):
            if not subscription.closed:
                self._give(subscription.sink, due[start : start + _CHUNK])

    def go_live(self, subscription: Subscription) -> bool:
        """Let new events through after the past ones; False when the past must be read once more first."""
        if subscription.overflowed:
            subscription.overflowed = False
            return False
        held, subscription.held = subscription.held or [], None
        self.give(subscription, held)
        return True

    def _remove(self, run_id: str, sink: Sink) -> None:
        followers = self._by_run[run_id]
        del followers[sink]
        if not followers:
            del self._by_run[run_id]
        runs = self._by_sink[sink]
        runs.discard(run_id)
        if not runs:
            del self._by_sink[sink]

    def _give(self, sink: Sink, frames: Sequence[Frame]) -> None:
        try:
            sink(frames)
        except Exception:  # noqa: BLE001 - a sink is code of others; its errors must not stop the runs
            _LOG.exception("A follower of runs failed and is dropped.")
            self.drop_sink(sink)
