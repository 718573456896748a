"""Tells pages when engines come and go: a flapping link without flicker, and one that fell silent without its end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.realtime.presence import Presence
from shared.clock import Clock

MINUTE = 60.0
TOLD_A_MINUTE = 2
"""Losses of one engine that pages are told of at once within a minute."""
HOLD_SECONDS = 10.0
"""How long a further loss must last before pages are told of it."""


@dataclass(slots=True)
class _Seen:
    """What was told of an engine, in monotonic seconds; ``owed`` since when a loss is not told yet."""

    heard: float
    connected: bool = True
    silent: bool = False
    owed: float | None = None
    told: list[float] = field(default_factory=list)


class Steadiness:
    """Decides when ``announce`` is called with an engine's id; what is told then is read from the presence.

    It knows the engines whose links are of this process. What the lists of engines show does not wait for it.
    """

    def __init__(
        self, presence: Presence, announce: Callable[[str], None], clock: Clock, timeout_seconds: float
    ) -> None:
        self._presence = presence
        self._announce = announce
        self._clock = clock
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}

    def came(self, engine_id: str) -> None:
        """Tell that an engine is up."""
        with self._lock:
            seen = self._entry(engine_id)
            seen.connected, seen.silent, seen.owed = True, False, None
        self._announce(engine_id)

    def left(self, engine_id: str) -> None:
        """Tell that the link of an engine ended; at once, unless it does so again and again."""
        now = self._clock.monotonic()
        with self._lock:
            seen = self._entry(engine_id)
            seen.connected = False
            seen.told = [at for at in seen.told if now - at < MINUTE]
            if len(seen.told) >= TOLD_A_MINUTE:
                seen.owed = now
                return
            seen.told.append(now)
        self._announce(engine_id)

    def heard(self, engine_id: str) -> None:
        """Note a sign of life; tell that an engine which had fallen silent is there again."""
        with self._lock:
            seen = self._seen.get(engine_id)
            if seen is None:
                return
            seen.heard = self._clock.monotonic()
            was_silent, seen.silent = seen.silent, False
        if was_silent:
            self._announce(engine_id)

    def look(self) -> None:
        """Tell of the losses that last, and of links that are open and silent; to be called every few seconds."""
        now = self._clock.monotonic()
        for engine_id, seen in self._all():
            if seen.owed is not None:
                if now - seen.owed >= HOLD_SECONDS:
                    self._settle(engine_id, seen, now)
            elif not seen.connected:
                self._forget(engine_id, seen, now)
            elif now - seen.heard > self._timeout and not seen.silent:
                self._silence(engine_id, seen)

    def _settle(self, engine_id: str, seen: _Seen, now: float) -> None:
        with self._lock:
            if seen.owed is None:
                return
            seen.owed = None
            seen.told.append(now)
        self._announce(engine_id)

    def _silence(self, engine_id: str, seen: _Seen) -> None:
        if self._presence.is_online(engine_id):
            with self._lock:  # it has another link by now, to another process
                self._seen.pop(engine_id, None)
            return
        with self._lock:
            seen.silent = True
        self._announce(engine_id)

    def _forget(self, engine_id: str, seen: _Seen, now: float) -> None:
        if all(now - at >= MINUTE for at in seen.told):
            with self._lock:
                if not seen.connected:
                    self._seen.pop(engine_id, None)

    def _all(self) -> list[tuple[str, _Seen]]:
        with self._lock:
            return list(self._seen.items())

    def _entry(self, engine_id: str) -> _Seen:
        now = self._clock.monotonic()
        seen = self._seen.setdefault(engine_id, _Seen(now))
        seen.heard = now
        return seen
