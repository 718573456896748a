"""The threads for steps that block: bounded, and never in the way of the process's end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]


class StepThreads:
    """Runs jobs on up to ``most`` threads, started as needed.

    They are daemons: a step that never returns must not keep the engine from ending. Callers hold a slot per
    job, which bounds the queue. A job must not raise.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._free = 0
        self._threads: list[threading.Thread] = []

    def submit(self, job: Job) -> None:
        """Run the job as soon as a thread is free."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
            elif len(self._threads) < self._most:
                thread = threading.Thread(
                    target=self._work, name=f"step-{len(self._threads) + 1}", daemon=True
                )
                self._threads.append(thread)
                thread.start()
        self._jobs.put(job)

    def close(self) -> None:
        """Let idle threads end, and each busy one after its job."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
            with self._lock:
                self._free += 1
