"""Sends spans to a collector of OpenTelemetry, on a thread of its own; loaded only where there is a collector."""

from __future__ import annotations

import http.client
import logging
import ssl
import threading
from collections import deque
from urllib.parse import urlsplit

from shared import otlp
from shared.otlp import BATCH, MAX_WAITING, SEND_SECONDS, Collector, Service, Span

STOP_SECONDS = 2.0
_log = logging.getLogger(__name__)


class Outflow:
    """The spans of one process on their way; what the collector does not take is dropped and counted."""

    def __init__(self, collector: Collector, service: Service) -> None:
        self._collector = collector
        self._url = urlsplit(collector.url)
        self._service = service
        self._spans: deque[Span] = deque(maxlen=MAX_WAITING)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._failing = False
        self.dropped = 0

    def add(self, span: Span) -> None:
        """Have a span sent; when too many wait, the oldest is dropped."""
        self.dropped += len(self._spans) == MAX_WAITING
        self._spans.append(span)

    def start(self) -> None:
        """Begin to send."""
        self._thread = threading.Thread(target=self._run, name="gateway-traces", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what waits, if that is quick, and end."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(otlp.PERIOD_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while self._spans:
            batch = [self._spans.popleft() for _ in range(min(BATCH, len(self._spans)))]
            if not self._post(batch):
                self.dropped += len(batch)
                return

    def _post(self, batch: list[Span]) -> bool:
        reason = ""
        try:
            status = self._send(self._service.body(batch).encode())
            taken, reason = 200 <= status < 300, f"status {status}"
        except (OSError, ValueError, http.client.HTTPException) as error:
            taken, reason = False, type(error).__name__
        if not taken and not self._failing:
            _log.warning("the collector of traces does not take them", extra={"reason": reason})
        self._failing = not taken
        return taken

    def _send(self, body: bytes) -> int:
        url, host = self._url, self._url.hostname or ""
        connection = (
            http.client.HTTPSConnection(
                host, url.port, timeout=SEND_SECONDS, context=ssl.create_default_context()
            )
            if url.scheme == "https"
            else http.client.HTTPConnection(host, url.port, timeout=SEND_SECONDS)
        )
        try:
            connection.request("POST", url.path, body, self._collector.sent_headers)
            with connection.getresponse() as response:
                return response.status
        finally:
            connection.close()
