"""Which gateway processes live: each shows it every two seconds, and takes over the care for those that stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from gateway import incidents
from gateway.cluster.store import name

BEAT_SECONDS = 2.0
DEAD_SECONDS = 7

_log = logging.getLogger(__name__)


class Workers:
    """The life of this process, ``worker``, and of the others.

    ``beat`` is called at each sign of life and told whether Redis had lost the one before; ``bury`` is called once, by
    one process, for each that died.
    """

    def __init__(
        self, redis: Any, worker: str, *, beat: Callable[[bool], None], bury: Callable[[str], None]
    ) -> None:
        self._redis = redis
        self._worker = worker
        self._beat = beat
        self._bury = bury
        self._stopping = threading.Event()

    def begin(self, spawn: Callable[[Callable[[], None]], Any]) -> None:
        """Show that this process lives, from now on; ``spawn`` starts a task of the chosen runtime."""
        self._show()
        spawn(self._run)

    def close(self) -> None:
        """Say that this process ends by its own will; its connections are closed already."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        try:
            self._redis.srem(name("workers"), self._worker)
            self._redis.delete(name("worker", self._worker), name("worker", self._worker, "engines"))
        except Exception as error:  # noqa: BLE001 - the end of the process; the others will find out
            _log.info("did not sign off", extra={"reason": type(error).__name__})

    def _run(self) -> None:
        while not self._stopping.wait(timeout=BEAT_SECONDS):
            try:
                self._beat(self._show())
                self._look_around()
            except Exception as error:  # noqa: BLE001 - Redis may be away for a while; the loop goes on
                incidents.report(_log, "the beat of a gateway process", error)

    def _show(self) -> bool:
        with self._redis.pipeline() as pipeline:
            pipeline.set(name("worker", self._worker), "1", ex=DEAD_SECONDS, get=True)
            pipeline.sadd(name("workers"), self._worker)
            return pipeline.execute()[0] is None

    def _look_around(self) -> None:
        for worker in sorted(self._redis.smembers(name("workers"))):
            alive = worker == self._worker or self._redis.exists(name("worker", worker))
            # Whoever removes it from the list is the one that buries it.
            if not alive and self._redis.srem(name("workers"), worker) == 1:
                _log.warning("a gateway process died", extra={"worker": worker})
                self._bury(worker)
