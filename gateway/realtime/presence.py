"""Which engines are connected, over which link, and when they were last heard."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Protocol

from typing_extensions import override

from shared.clock import Clock
from shared.contract.engine import GuiVitals


@dataclass(frozen=True, slots=True)
class Link:
    """An engine's open link. ``epoch`` grows with every link: what a lower one still does is too late.

    ``heard_ms`` is wall time, ``heard`` the same moment in monotonic seconds. ``ready`` is set once the engine
    said that it is up, and inherited by the link that replaces this one.
    """

    engine_id: str
    sid: str
    epoch: int
    heard_ms: int
    heard: float
    ready: bool = False
    vitals: GuiVitals | None = None


class Presence(Protocol):
    """The state that all sockets of a gateway share; one process keeps it in memory, several would in Redis."""

    def connect(self, engine_id: str, sid: str) -> Link | None:
        """Make this the engine's link and return the one it replaces."""
        ...

    def disconnect(self, engine_id: str, sid: str) -> bool:
        """Forget the link; return False if it was not the engine's current one, which then stays connected."""
        ...

    def hear(self, engine_id: str, sid: str, vitals: GuiVitals | None = None) -> bool:
        """Note a sign of life, with vitals if there are; return False from a link that was replaced."""
        ...

    def announce(self, engine_id: str, sid: str) -> bool:
        """Note that the engine is up; return False from a link that was replaced."""
        ...

    def find(self, engine_id: str) -> Link | None:
        """Return the engine's current link."""
        ...

    def is_online(self, engine_id: str) -> bool:
        """Tell whether the engine is up and was heard of lately."""
        ...

    def heard_at(self, engine_id: str) -> int | None:
        """Return when a connected engine was last heard, in Unix ms."""
        ...


class MemoryPresence(Presence):
    """Presence of one process; safe to use from several threads."""

    def __init__(self, clock: Clock, timeout_seconds: float) -> None:
        self._clock = clock
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._links: dict[str, Link] = {}
        self._epoch = 0

    @override
    def connect(self, engine_id: str, sid: str) -> Link | None:
        with self._lock:
            self._epoch += 1
            old = self._links.get(engine_id)
            self._links[engine_id] = Link(
                engine_id=engine_id,
                sid=sid,
                epoch=self._epoch,
                heard_ms=self._clock.now_ms(),
                heard=self._clock.monotonic(),
                ready=old is not None and old.ready,
                vitals=old.vitals if old else None,
            )
            return old

    @override
    def disconnect(self, engine_id: str, sid: str) -> bool:
        with self._lock:
            if self._current(engine_id, sid) is None:
                return False
            del self._links[engine_id]
            return True

    @override
    def hear(self, engine_id: str, sid: str, vitals: GuiVitals | None = None) -> bool:
        with self._lock:
            link = self._current(engine_id, sid)
            if link is None:
                return False
            self._links[engine_id] = replace(
                link,
                heard_ms=self._clock.now_ms(),
                heard=self._clock.monotonic(),
                vitals=vitals or link.vitals,
            )
            return True

    @override
    def announce(self, engine_id: str, sid: str) -> bool:
        with self._lock:
            link = self._current(engine_id, sid)
            if link is None:
                return False
            self._links[engine_id] = replace(link, ready=True)
            return True

    @override
    def find(self, engine_id: str) -> Link | None:
        return self._links.get(engine_id)  # one look at what only ever changes as a whole: that needs no lock

    @override
    def is_online(self, engine_id: str) -> bool:
        link = self.find(engine_id)
        return link is not None and link.ready and self._clock.monotonic() - link.heard < self._timeout

    @override
    def heard_at(self, engine_id: str) -> int | None:
        link = self.find(engine_id)
        return None if link is None else link.heard_ms

    def _current(self, engine_id: str, sid: str) -> Link | None:
        link = self._links.get(engine_id)
        return link if link is not None and link.sid == sid else None
