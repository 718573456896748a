"""Notices when the event loop stands still, and logs what it was doing: nothing else can tell from the inside."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback

from shared.clock import Clock

_log = logging.getLogger(__name__)

BEAT_SECONDS = 0.5
STALL_SECONDS = 2.0


class LoopWatchdog:
    """A thread that watches the loop it was started on."""

    def __init__(self, clock: Clock, *, stall_seconds: float = STALL_SECONDS) -> None:
        self._clock = clock
        self._stall = stall_seconds
        self._pace = min(BEAT_SECONDS, stall_seconds / 4)
        self._beat = clock.monotonic()
        self._stopped = threading.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._loop_thread = 0
        self._thread = threading.Thread(target=self._watch, name="loop watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch the running loop."""
        self._loop_thread = threading.get_ident()
        self._tick()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.cancel()
        self._thread.join(2 * BEAT_SECONDS)

    def _tick(self) -> None:
        self._beat = self._clock.monotonic()
        self._timer = asyncio.get_running_loop().call_later(self._pace, self._tick)

    def _watch(self) -> None:
        reported = 0.0
        while not self._stopped.wait(self._pace):
            beat = self._beat
            still = self._clock.monotonic() - beat
            if still > self._stall and beat != reported:
                reported = beat
                _log.error(
                    "the event loop stands still for %.1f s at\n%s",
                    still,
                    self._stack(),
                    extra={"stalled": still},
                )

    def _stack(self) -> str:
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - the documented way to see a thread
        return "".join(traceback.format_stack(frame)) if frame else ""
