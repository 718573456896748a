"""Starts gateway and engine as the real processes they are, on free loopback ports, and stops them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from shared.ids import new_service_secret
from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers
from tests.gateway import conformance
from tests.support.plain_http import NO_TLS

ROOT = Path(__file__).resolve().parents[2]
Found = TypeVar("Found")


def wait_for(probe: Callable[[], Found | None], what: str, seconds: float = 60.0) -> Found:
    """Poll until the probe gives something true; fail with a clear message at the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := probe():
            return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


@dataclass
class Service:
    """One running process of the platform and its log."""

    popen: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """End it as a power cut does."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait(10)

    def stop(self) -> int:
        """End it politely; return its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(15)


@dataclass
class Platform:
    """A gateway, an engine and an owner, in a folder of their own."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    owner: WalletKey = field(default_factory=lambda: WalletKey.create()[0])
    secret: str = field(default_factory=new_service_secret)
    engine_id: str = ""
    token: str = ""
    gateway_port: int = 0
    socket_port: int = 0
    services: list[Service] = field(default_factory=list)

    def start_gateway(self) -> Service:
        """Start the gateway; a restarted one takes the port of the first."""
        address = self.folder / "gateway" / "address.json"
        address.unlink(missing_ok=True)
        service = self._start("gateway", {"GATEWAY_PORT": str(self.gateway_port), "GATEWAY_PAGE": "plain"})
        url = self._address(service, address)["url"]
        self.gateway_port = int(url.rsplit(":", 1)[1])
        return service

    def start_engine(self) -> Service:
        """Start the engine; a restarted one takes the socket port of the first."""
        address = self.folder / "engine" / "address.json"
        address.unlink(missing_ok=True)
        service = self._start("core_engine", self._engine_settings(self.socket_port))
        url = self._address(service, address)["socket"]
        self.socket_port = int(url.rsplit(":", 1)[1].rstrip("/"))
        return service

    def start_second_engine(self) -> Service:
        """Start another engine on the same data, which has to give up by itself."""
        return self._start("core_engine", self._engine_settings(0))

    def _engine_settings(self, socket_port: int) -> dict[str, str]:
        return {
            "FLOWORK_ENGINE_ID": self.engine_id,
            "FLOWORK_ENGINE_TOKEN": self.token,
            "FLOWORK_OWNER_ADDRESS": self.owner.address,
            "ENGINE_SOCKET_PORT": str(socket_port),
            "ENGINE_HTTP_PORT": "0",
            "ENGINE_VITALS_SECONDS": "0.5",
            "ENGINE_RECONNECT_MAX_SECONDS": "1",
        }

    def register_engine(self) -> None:
        """Sign in and register an engine, as a new user does."""
        assert self.call("GET", "/auth/profile").status_code == 200
        answer = self.call("POST", "/user/engines", {"name": "Test engine"})
        assert answer.status_code == 201, answer.text
        self.engine_id, self.token = answer.json()["id"], answer.json()["raw_token"]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Make a signed request to the gateway."""
        target = f"/api/v1{path}"
        content = json.dumps(body).encode() if body is not None else b""
        headers = sign_headers(self.owner, method, target, content, now_ms=time.time_ns() // 1_000_000)
        if body is not None:
            headers["Content-Type"] = "application/json"
        answer = httpx.request(
            method, self.gateway_url + target, content=content, headers=headers, timeout=10, verify=NO_TLS
        )
        conformance.check(method, target, answer)
        return answer

    def engine_state(self) -> str:
        """Return what the gateway says of the engine: online or offline."""
        return next(
            item["status"]
            for item in self.call("GET", "/user/engines").json()
            if item["id"] == self.engine_id
        )

    def wait_online(self) -> None:
        """Wait until the gateway shows the engine online."""
        wait_for(lambda: self.engine_state() == "online", "the engine to be online")

    @property
    def gateway_url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def socket_url(self) -> str:
        """The address of the engine's raw WebSocket, without the query."""
        return f"ws://127.0.0.1:{self.socket_port}"

    def close(self) -> None:
        """Stop whatever still runs."""
        stubborn = []
        for service in reversed(self.services):
            if service.popen.poll() is None:
                try:
                    service.stop()
                except subprocess.TimeoutExpired:
                    service.kill()
                    stubborn.append(service.log.name)
        assert not stubborn, f"had to be killed: {stubborn}"

    def _start(self, module: str, settings: dict[str, str]) -> Service:
        log = self.folder / f"{module}-{len(self.services)}.log"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("GATEWAY_", "ENGINE_"))
        }
        environment |= {"FLOWORK_DATA_DIR": str(self.folder), "GATEWAY_SECRET_TOKEN": self.secret}
        environment |= {"GATEWAY_RATE_PER_ADDRESS": "0"}  # tests poll faster than people do
        environment |= {"GATEWAY_URL": self.gateway_url} | settings | self.environment
        with log.open("wb") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", module],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        service = Service(popen, log)
        self.services.append(service)
        return service

    def _address(self, service: Service, path: Path) -> dict[str, Any]:
        def probe() -> dict[str, Any] | None:
            assert service.popen.poll() is None, service.log.read_text()
            return json.loads(path.read_text()) if path.exists() else None

        try:
            return wait_for(probe, f"{path.name} of {path.parent.name}", 150)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{service.log.read_text()}") from None


@contextlib.contextmanager
def running_platform(folder: Path, **environment: str) -> Iterator[Platform]:
    """Start a gateway, register an engine, start it and wait until it is online; stop all at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    platform = Platform(folder, environment)
    try:
        platform.start_gateway()
        platform.register_engine()
        platform.start_engine()
        platform.wait_online()
        yield platform
    finally:
        platform.close()
