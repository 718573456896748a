"""A platform that lives as long as the demonstration: free ports, secrets made on the spot, two real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

from flowork.client import Client
from flowork.demo.material import Workplace
from flowork.places import Address
from flowork.supervisor.child import Child, stop_all
from flowork.supervisor.service import Service, engine_service, gateway_service
from shared.contract.engine import RegisteredEngine
from shared.errors import FloworkError
from shared.ids import new_service_secret

READY_SECONDS = 45.0
STOP_SECONDS = 4.0
_OTHERS = ("GATEWAY_", "ENGINE_", "FLOWORK_", "DATABASE_", "REDIS_")


class DemoPlatform:
    """Starts the two services when asked; `running` stops them whatever happens."""

    def __init__(self, environ: Mapping[str, str], place: Workplace) -> None:
        # Settings of a platform that the user really runs must not reach the demo's.
        self._environ = {name: value for name, value in environ.items() if not name.startswith(_OTHERS)}
        self._place = place
        self._secret = new_service_secret()
        self._children: list[Child] = []
        self._logs: dict[str, TextIO] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Stop what was started when the block ends; an error carries where the logs are."""
        for name in ("gateway", "engine"):
            self._logs[name] = (self._place.logs / f"{name}.log").open("w", encoding="utf-8")
        try:
            yield
        finally:
            stop_all(self._children[::-1], STOP_SECONDS)
            for log in self._logs.values():
                log.close()

    def start_gateway(self) -> Callable[[], Address]:
        """Start the gateway on a free port; the result, when called, waits until it is ready."""
        given = {"GATEWAY_SECRET_TOKEN": self._secret, "GATEWAY_HOST": "127.0.0.1", "GATEWAY_PORT": "0"}
        child = self._start(gateway_service(self._environ, self._place.data, given))
        return lambda: child.wait_ready(READY_SECONDS)

    def start_engine(self, gateway: Address, engine: RegisteredEngine, owner: str) -> Address:
        """Start the engine as the one that was registered, owned by the given address."""
        given = {
            "GATEWAY_URL": gateway.url,
            "GATEWAY_SECRET_TOKEN": self._secret,
            "FLOWORK_ENGINE_ID": engine.id,
            "FLOWORK_ENGINE_TOKEN": engine.raw_token,
            "FLOWORK_OWNER_ADDRESS": owner,
            "ENGINE_SOCKET_HOST": "127.0.0.1",
            "ENGINE_SOCKET_PORT": "0",
            "ENGINE_HTTP_HOST": "127.0.0.1",
            "ENGINE_HTTP_PORT": "0",
            "ENGINE_FILE_ROOTS": str(self._place.files),
        }
        child = self._start(engine_service(self._environ, self._place.data, given))
        return child.wait_ready(READY_SECONDS)

    def wait_online(self, client: Client, engine_id: str) -> None:
        """Wait until the gateway shows the engine online; raises the engine's own end instead."""
        try:
            client.wait_online(engine_id, READY_SECONDS)
        except FloworkError:
            for child in self._children:
                if child.exit_code is not None:
                    raise child.start_error() from None
            raise

    def last_words(self) -> list[tuple[str, str]]:
        """Return the latest log lines of the services."""
        return [(child.service.name, line) for child in self._children for line in child.last_words()[-8:]]

    def _start(self, service: Service) -> Child:
        child = Child(service, self._log)
        self._children.append(child)
        return child

    def _log(self, service: str, line: str) -> None:
        self._logs[service].write(line + "\n")
