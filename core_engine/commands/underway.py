"""The commands under way: one that need not wait is over at once, the others are tasks with one deadline for all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import Context, copy_context
from typing import Any

from typing_extensions import override

from shared import logs


class Underway:
    """Owns the tasks of commands, and cancels those that are not over in time.

    Commands begin in the order in which they came. All have the same number of ``seconds``, so that one timer,
    set for the oldest, serves them.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[asyncio.Task[None], float] = {}
        self._late: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._unbegun = 0
        self._count = 0

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The commands that are not over."""
        return list(self._due)

    def begin(
        self, command: Coroutine[Any, Any, None], name: str, run_id: str, seconds: float
    ) -> asyncio.Task[None]:
        """Carry a command out as a task of its own, from the next turn of the event loop on."""
        context = copy_context()
        context.run(logs.work_for, run_id)
        task = self._task(command, name, context, seconds)
        self._unbegun += 1
        self._loop.call_soon(self._note_begin)  # it stands right behind the first step of the task
        return task

    def begin_at_once(
        self, command: Coroutine[Any, Any, None], name: str, run_id: str, seconds: float
    ) -> asyncio.Task[None] | None:
        """Carry a command out here until it has to wait; only then it is made a task. None: it is over.

        Until then `asyncio.current_task` is the caller's: the command may enter no time limit and no task group
        before it waits for the first time. Where another command has not begun yet, this one does not overtake it.
        """
        if self._unbegun:
            return self.begin(command, name, run_id, seconds)
        context = copy_context()
        context.run(logs.work_for, run_id)
        try:
            awaited = context.run(command.send, None)
        except (
            StopIteration,
            asyncio.CancelledError,
        ):  # nobody can have cancelled the caller's task meanwhile
            return None
        return self._task(_Begun(command, awaited), name, context, seconds)

    def is_late(self) -> bool:
        """Tell the running command that was cancelled whether its time was up; it is not cancelled then any more."""
        task = asyncio.current_task()
        if task is None or task not in self._late:
            return False
        self._late.discard(task)
        return task.uncancel() <= 0

    async def close(self) -> None:
        """Interrupt what still runs."""
        tasks = self.tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _task(
        self, command: Coroutine[Any, Any, None], name: str, context: Context, seconds: float
    ) -> asyncio.Task[None]:
        self._count += 1
        task = self._loop.create_task(command, name=f"command {name} {self._count}", context=context)
        self._due[task] = self._loop.time() + seconds
        task.add_done_callback(self._end)
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self._enforce)
        return task

    def _note_begin(self) -> None:
        self._unbegun -= 1

    def _end(self, task: asyncio.Task[None]) -> None:
        del self._due[task]
        self._late.discard(task)

    def _enforce(self) -> None:
        """Cancel what is too late, and look again when the next one is."""
        self._timer = None
        now = self._loop.time()
        for task, due in self._due.items():
            if due > now:
                self._timer = self._loop.call_at(due, self._enforce)
                return
            if task not in self._late:
                self._late.add(task)
                task.cancel()


class _Begun(Coroutine[Any, Any, None]):
    """A coroutine that was driven to its first wait: whoever drives it on is given what it waits for first."""

    __slots__ = ("_awaited", "_command")

    def __init__(self, command: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._command = command
        self._awaited: tuple[Any] | None = (awaited,)

    @override
    def send(self, value: Any) -> Any:
        if self._awaited is None:
            return self._command.send(value)
        (awaited,), self._awaited = self._awaited, None
        return awaited

    @override
    def throw(self, *error: Any) -> Any:
        self._awaited = None
        return self._command.throw(*error)

    @override
    def close(self) -> None:
        self._command.close()

    @override
    def __await__(self) -> Generator[Any, Any, None]:
        raise TypeError("a command is driven by its task")
