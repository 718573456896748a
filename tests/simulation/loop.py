"""An event loop of its own: time is a number, whatever is ready runs in an order that a seed decides."""

from __future__ import annotations

import asyncio
import heapq
import random
from asyncio import base_events
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from typing_extensions import override

_STEP_SECONDS = 0.0004
_LOOK_SECONDS = 0.00005
_MOST_STEPS = 400_000


class Crash(KeyboardInterrupt):
    """The process dies here, without another statement. Nothing in the product swallows this kind."""


class Stuck(AssertionError):  # noqa: N818 - what a test fails with
    """Nothing will ever happen again, or the virtual deadline has passed."""


class SimLoop(base_events.BaseEventLoop):
    """An event loop without sockets, threads and waiting.

    ``crash_at`` is the number of the callback before which the process dies. What comes from other threads
    (`call_soon_threadsafe`) keeps its order, as it does in reality; everything else that is ready may come first.
    """

    def __init__(self, rng: random.Random, *, now: float = 0.0, crash_at: int | None = None) -> None:
        super().__init__()
        self.rng = rng
        self.now = now
        self.steps = 0
        self.trace = 0
        self.ends_at: float | None = None
        self.mistakes: list[dict[str, Any]] = []
        self._crash_at = crash_at
        self._lane: deque[asyncio.Handle] = deque()
        self.set_exception_handler(lambda _loop, context: self.mistakes.append(context))

    @override
    def time(self) -> float:
        return self.now

    def look(self) -> float:
        """Return the time as somebody who looks at a clock: that takes a moment too."""
        self.now += _LOOK_SECONDS
        return self.now

    @override
    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: Any = None
    ) -> asyncio.Handle:
        self._check_closed()
        handle = asyncio.Handle(callback, list(args), self, context)
        self._lane.append(handle)
        self.call_soon(self._run_lane)
        return handle

    def _run_lane(self) -> None:
        handle = self._lane.popleft()
        if not handle.cancelled():
            handle._run()

    @override
    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        future = self.create_future()
        self.call_later(self.rng.expovariate(200), self._execute, future, func, args)
        return future

    @staticmethod
    def _execute(future: asyncio.Future[Any], func: Callable[..., Any], args: Any) -> None:
        try:
            result = func(*args)
        except Crash:
            raise
        except Exception as error:  # noqa: BLE001 - whoever awaits the future gets it
            if not future.cancelled():
                future.set_exception(error)
        else:
            if not future.cancelled():
                future.set_result(result)

    @override
    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it where it is; it is thrown away when its time comes."""

    @override
    def _run_once(self) -> None:
        ready, scheduled = self._ready, self._scheduled
        self.steps += 1
        if self.steps == self._crash_at:
            raise Crash
        if self.steps > _MOST_STEPS:
            raise Stuck("the simulation does not come to an end")
        while scheduled and (scheduled[0]._cancelled or scheduled[0]._when <= self.now):
            handle = heapq.heappop(scheduled)
            handle._scheduled = False
            if not handle._cancelled:
                ready.append(handle)
        if not ready:
            self._sleep()
            return
        place = self.rng.randrange(len(ready)) if len(ready) > 1 else 0
        ready.rotate(-place)
        handle = ready.popleft()
        ready.rotate(place)
        self.now += self.rng.random() * _STEP_SECONDS
        self.trace = hash((self.trace, place, self.now))
        if not handle._cancelled:
            handle._run()

    def _sleep(self) -> None:
        if not self._scheduled:
            raise Stuck("everything waits and no timer is set")
        self.now = self._scheduled[0]._when
        if self.ends_at is not None and self.now > self.ends_at:
            raise Stuck(f"not done by {self.ends_at:.1f} virtual seconds")

    def live(self, main: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end of the main coroutine; a crash ends everything at once and comes out of here."""
        try:
            return self.run_until_complete(main)
        finally:
            self.kill()

    def kill(self) -> None:
        """Forget everything that was under way. Nothing of it may reach what outlives the process."""
        self.set_exception_handler(lambda _loop, _context: None)
        tasks = asyncio.all_tasks(self)
        self._ready.clear()
        self._scheduled.clear()
        self._lane.clear()
        asyncio.events._set_running_loop(None)
        self.close()
        for task in tasks:
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with suppress(BaseException):
                task.get_coro().close()  # type: ignore[union-attr]


class SimThreads:
    """In place of `StepThreads`: each job is done in one go, after a while."""

    def __init__(self, loop: SimLoop) -> None:
        self._loop = loop

    def submit(self, job: Callable[[], None]) -> None:
        """Do the job later."""
        self._loop.call_later(self._loop.rng.expovariate(5), job)

    def close(self) -> None:
        """Have nothing to end."""


class SimClock:
    """The clock of a simulated machine; ``jump`` is how far its wall clock has been set off."""

    def __init__(self, loop: SimLoop, jump: float = 0.0) -> None:
        self._loop = loop
        self.jump = jump

    def now_ms(self) -> int:
        """Return Unix time in milliseconds."""
        return 1_700_000_000_000 + int((self._loop.now + self.jump) * 1000)

    def monotonic(self) -> float:
        """Return the seconds since the simulation began."""
        return self._loop.look()
