"""A real thread beside green ones: what waits for the disk runs there, and nobody else waits with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

ValueT = TypeVar("ValueT")
Watch = Callable[[int, Callable[[int], None]], object]
"""Has the event loop call a function whenever a descriptor can be read."""

MOST_BYTES = 4096


class Apart:
    """Runs functions on a real thread of its own, one after the other; it is a `gateway.db.running.Run`.

    ``real`` returns a module of the standard library as it is without green threads, ``signal`` makes what one green
    thread waits for. The thread starts with the first function, so in the process that serves.
    """

    def __init__(self, real: Callable[[str], Any], watch: Watch, signal: Callable[[], Any]) -> None:
        self._real = real
        self._watch = watch
        self._signal = signal
        self._tasks: Any = None
        self._done: deque[_Task] = deque()

    def __call__(self, function: Callable[[], ValueT], /) -> ValueT:
        """Wait for the function's end; return or raise what it did."""
        if self._tasks is None:
            self._start()
        task = _Task(function, self._signal())
        self._tasks.put(task)
        task.ended.wait()
        if task.error is not None:
            raise task.error
        value: ValueT = task.value
        return value

    def _start(self) -> None:
        self._tasks = self._real("queue").SimpleQueue()
        # The event loop sleeps until one of its sockets can be read; a byte through this pair wakes it.
        self._woken, self._waker = self._real("socket").socketpair()
        self._woken.setblocking(False)
        self._watch(self._woken.fileno(), self._tell)
        self._real("threading").Thread(target=self._work, name="apart", daemon=True).start()

    def _work(self) -> None:
        while True:
            task = self._tasks.get()
            task.run()
            self._done.append(task)
            self._waker.send(b"!")

    def _tell(self, _: int) -> None:
        self._woken.recv(MOST_BYTES)
        while self._done:
            self._done.popleft().ended.set()


class _Task:
    """A function that runs apart, what came of it, and the signal of its end."""

    __slots__ = ("_function", "ended", "error", "value")

    def __init__(self, function: Callable[[], Any], ended: Any) -> None:
        self._function = function
        self.ended = ended
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run the function; whatever it raises is for who waits."""
        try:
            self.value = self._function()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.error = error
