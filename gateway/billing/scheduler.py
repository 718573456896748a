"""Does periodic work in the gateway's own process, on a thread of its own (a green one under eventlet)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from sqlalchemy.exc import SQLAlchemyError

from shared.errors import FloworkError

_log = logging.getLogger(__name__)

STOP_SECONDS = 2.0


class Scheduler:
    """Runs every job once a round; one that fails is logged and has its turn again in the next."""

    def __init__(self, jobs: Mapping[str, Callable[[], None]], seconds: float) -> None:
        self._jobs = dict(jobs)
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; the first round comes after one interval."""
        self._thread = threading.Thread(target=self._run, name="gateway-jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the rounds, and do the work of this process a last time where there is time for it."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        flush = self._jobs.get("flush_usage")
        if flush is not None:
            self._do("flush_usage", flush)

    def round(self) -> None:
        """Run every job once."""
        for name, job in self._jobs.items():
            if self._stopped.is_set():
                return
            self._do(name, job)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.round()

    @staticmethod
    def _do(name: str, job: Callable[[], None]) -> None:
        try:
            job()
        except (FloworkError, SQLAlchemyError, OSError) as error:
            _log.warning("periodic work failed", extra={"job": name, "reason": type(error).__name__})
        except Exception:  # noqa: BLE001 - the edge of a thread: one bad job must not end the others
            _log.exception("periodic work failed unexpectedly", extra={"job": name})
