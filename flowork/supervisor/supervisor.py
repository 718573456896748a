"""Keeps the gateway and the engine of one machine running until it is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from flowork.places import Address
from flowork.supervisor.child import Child, LineSink, stop_all
from flowork.supervisor.secrets import PlatformSecrets
from flowork.supervisor.service import Service, engine_service, gateway_service
from shared.errors import ErrorCode, FloworkError

READY_SECONDS = 60.0
STOP_SECONDS = 4.0
MAX_FAILURES = 5
CALM_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_TICK_SECONDS = 0.2


@dataclass
class _Watched:
    """A child, and how often it failed in a row."""

    child: Child
    failures: int = 0


class Supervisor:
    """Starts both services, restarts one that dies, gives up on one that keeps dying.

    `start` and `watch` are to be called on the main thread: the system ends the services when that one ends.
    """

    def __init__(
        self, environ: Mapping[str, str], data_dir: Path, secrets: PlatformSecrets, sink: LineSink
    ) -> None:
        self._environ = environ
        self._data_dir = data_dir
        self._secrets = secrets
        self._sink = sink
        self._watched: list[_Watched] = []

    def start(self) -> tuple[Address, Address]:
        """Start gateway, then engine; return where they listen. Raises the error of one that does not start."""
        secrets = self._secrets
        gateway = self._launch(gateway_service(self._environ, self._data_dir, secrets.for_gateway()))
        self._pin_ports(0, {"GATEWAY_PORT": gateway.url})
        engine = self._launch(engine_service(self._environ, self._data_dir, secrets.for_engine(gateway.url)))
        self._pin_ports(1, {"ENGINE_HTTP_PORT": engine.url, "ENGINE_SOCKET_PORT": engine.socket})
        return gateway, engine

    def watch(self, each_tick: Callable[[], None]) -> None:
        """Keep the services running until KeyboardInterrupt; raises INTERNAL when one keeps dying."""
        while True:
            time.sleep(_TICK_SECONDS)
            for watched in self._watched:
                if watched.child.exit_code is not None:
                    self._revive(watched)
            each_tick()

    def stop(self) -> None:
        """Stop both services within five seconds."""
        stop_all([watched.child for watched in reversed(self._watched)], STOP_SECONDS)

    def _launch(self, service: Service) -> Address:
        child = Child(service, self._sink)
        self._watched.append(_Watched(child))
        return child.wait_ready(READY_SECONDS)

    def _pin_ports(self, index: int, urls: dict[str, str]) -> None:
        """Let a later start take the ports of the first, also where they were chosen freely."""
        watched = self._watched[index]
        ports = {name: str(urlsplit(url).port) for name, url in urls.items()}
        service = watched.child.service
        watched.child.service = replace(service, environment={**service.environment, **ports})

    def _revive(self, watched: _Watched) -> None:
        child = watched.child
        calm = time.monotonic() - child.started_at > CALM_SECONDS
        watched.failures = 1 if calm else watched.failures + 1
        if watched.failures > MAX_FAILURES:
            error = child.start_error()
            raise FloworkError(ErrorCode.INTERNAL, f"Gave up after {MAX_FAILURES} restarts. {error.message}")
        pause = min(_FIRST_PAUSE * 2 ** (watched.failures - 1), _LONGEST_PAUSE)
        self._sink(
            child.service.name, f"ended with status {child.exit_code}; starting it again in {pause:g} s"
        )
        child.wait_stopped(0)
        time.sleep(pause)
        watched.child = Child(child.service, self._sink)
