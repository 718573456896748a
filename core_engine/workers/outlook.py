"""What a worker tells of itself: figures and health over HTTP, spans. What is not asked for is not even loaded."""

from __future__ import annotations

import asyncio
import logging
from importlib import metadata
from typing import TYPE_CHECKING

from core_engine.settings import EngineSettings
from core_engine.workers.notes import Note, NoteReader
from shared import otlp
from shared.errors import ErrorCode, FloworkError
from shared.otlp import Collector, Service
from shared.settings import reveal
from shared.tracing import new_span_id, read_traceparent

if TYPE_CHECKING:
    from core_engine.kernel.outflow import Outflow
    from core_engine.workers.figures import Figures
    from core_engine.workers.http import WorkerHttp

_LOG = logging.getLogger(__name__)


class Outlook:
    """Hears the pool's notes. ``state`` is what ``/healthz`` says: starting, ready, no broker, restarting, draining."""

    def __init__(self, settings: EngineSettings, worker: str) -> None:
        self.state = "starting"
        self._settings = settings
        self._worker = worker
        self._notes: NoteReader | None = None
        self._figures: Figures | None = None
        self._http: WorkerHttp | None = None
        self._outflow: Outflow | None = None
        self._sending: asyncio.Task[None] | None = None

    @property
    def pipe(self) -> int | None:
        """Where the pool writes its notes; None while nobody wants them."""
        return self._notes.pipe if self._notes else None

    async def open(self) -> None:
        """Begin; raises CONFIGURATION where the port is taken."""
        workers, telemetry = self._settings.workers, self._settings.telemetry
        if workers.http_port < 0 and not telemetry.collector:
            return
        if workers.http_port >= 0:
            await self._serve()
        if telemetry.collector:
            self._trace(Collector.of(telemetry.collector, reveal(telemetry.collector_headers)))
        self._notes = NoteReader(self._hear)
        self._notes.open()

    async def close(self) -> None:
        """End; what waits is sent if that is quick."""
        if self._notes is not None:
            self._notes.close()
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        if self._http is not None:
            await self._http.stop()

    def restarting(self) -> None:
        """Note that the listening process is to be started again."""
        self.state = "restarting"
        if self._figures is not None:
            self._figures.restarted()

    def _trace(self, collector: Collector) -> None:
        from core_engine.kernel.outflow import Outflow  # noqa: PLC0415 - only with a collector

        version = metadata.version("flowork")
        self._outflow = Outflow(collector, Service("flowork-worker", self._worker, version))
        self._sending = asyncio.create_task(self._outflow.send(), name="traces")

    async def _serve(self) -> None:
        from core_engine.workers.figures import Figures  # noqa: PLC0415 - only with a port
        from core_engine.workers.http import READY, WorkerHttp  # noqa: PLC0415

        workers = self._settings.workers
        version = metadata.version("flowork")
        self._figures = Figures(version, workers.processes, lambda: self.state == READY)
        self._http = WorkerHttp(
            workers.http_host,
            workers.http_port,
            state=lambda: self.state,
            exposition=self._figures.exposition,
            token=reveal(self._settings.link.metrics_token),
        )
        try:
            port = await self._http.start()
        except OSError as error:
            text = f"A worker cannot listen on port {workers.http_port}: {error.strerror or error}."
            raise FloworkError(
                ErrorCode.CONFIGURATION, f"{text} Set ENGINE_WORKER_HTTP_PORT (0 picks one)."
            ) from error
        _LOG.info("the worker tells how it stands", extra={"host": workers.http_host, "port": port})

    def _hear(self, note: Note) -> None:
        if self._figures is not None:
            self._figures.hear(note)
        place = read_traceparent(note.trace)
        if self._outflow is None or note.became is None or place is None:
            return
        facts: dict[str, str | int] = {"flowork.run": note.run, "flowork.node": note.node}
        facts |= {"flowork.attempt": note.attempt, "flowork.outcome": note.became}
        self._outflow.add(
            otlp.span(
                "step at a worker",
                place.below(new_span_id()),
                parent=place.span_id,
                begun=note.at - note.seconds * 1000,
                ended=note.at,
                ok=note.became == "done",
                facts=facts,
                kind=otlp.CONSUMER,
            )
        )
