"""Gateways to test against: real servers on free loopback ports, in this process or in one of their own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import socketio

from gateway import startup
from gateway.app import GatewayApp
from gateway.settings import FOREIGN, PREFIXES, GatewaySettings
from gateway.threads import ThreadServer
from shared.clock import Clock, SystemClock
from shared.ids import new_engine_token
from shared.settings import load
from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers
from tests.gateway import conformance
from tests.support.plain_http import NO_TLS

ROOT = Path(__file__).resolve().parents[2]
WAIT = 30.0
# Tests share one network address, and ask faster than people do.
UNLIMITED = {f"GATEWAY_RATE_{kind}": "0" for kind in ("PER_ADDRESS", "PER_IP", "UNAUTHENTICATED", "STRICT")}


@dataclass
class Gateway:
    """A running gateway and the ways in."""

    url: str
    folder: Path
    clock: Clock = field(default_factory=SystemClock)
    bundled_id: str = "eng-bundled"
    bundled_token: str = ""
    app: GatewayApp | None = None
    process: subprocess.Popen[str] | None = None
    workers: int = 1

    def now(self) -> int:
        return self.clock.now_ms()

    def headers(self, wallet: WalletKey, method: str, target: str, body: bytes = b"") -> dict[str, str]:
        return sign_headers(wallet, method, target, body, now_ms=self.now())

    def call(
        self, wallet: WalletKey, method: str, path: str, body: Any = None, **headers: str
    ) -> httpx.Response:
        """Make a bound request to an operation; a body of bytes is sent as it is."""
        target = f"/api/v1{path}"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = self.headers(wallet, method, target, content)
        if body is not None:
            given["Content-Type"] = "application/json"
        return self.send(method, target, content, given | headers)

    def documented(
        self, wallet: WalletKey, method: str, path: str, body: Any = None, *, at_ms: int | None = None
    ) -> httpx.Response:
        """Make a request with the documented headers, which cover nothing but address and time."""
        message = f"flowork_api_auth|{wallet.address}|{(at_ms or self.now()) // 1000}"
        headers = self.socket_headers(wallet, message) | {"X-Payload-Version": "2"}
        content = b"" if body is None else json.dumps(body).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        return self.send(method, f"/api/v1{path}", content, headers)

    def send(
        self, method: str, target: str, content: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Make a request; whatever the test is about, the answer has to fit the contract."""
        answer = httpx.request(
            method, self.url + target, content=content, headers=headers, timeout=WAIT, verify=NO_TLS
        )
        conformance.check(method, target, answer, scripted_engine=True)
        return answer

    def socket_headers(self, wallet: WalletKey, message: str) -> dict[str, Any]:
        return {
            "X-User-Address": wallet.address,
            "X-Signed-Message": message,
            "X-Signature": wallet.sign_text(message),
        }

    def gui_auth(self, wallet: WalletKey, at_ms: int | None = None) -> dict[str, Any]:
        """Return the auth object that the browser client builds once per page."""
        message = f"flowork_socket_auth|{wallet.address}|{(at_ms or self.now()) // 1000}"
        return {"headers": self.socket_headers(wallet, message) | {"X-Payload-Version": 2}}

    def register_engine(self, wallet: WalletKey, name: str = "Engine") -> tuple[str, str]:
        answer = self.call(wallet, "POST", "/user/engines", {"name": name})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"], answer.json()["raw_token"]

    def engine(self, wallet: WalletKey, engine_id: str) -> dict[str, Any]:
        return next(
            item for item in self.call(wallet, "GET", "/user/engines").json() if item["id"] == engine_id
        )


class Peer:
    """One Socket.IO connection that keeps what it is told, in order."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        # Its own session it would close in a task that nobody waits for, where the server has ended the connection.
        self._http = aiohttp.ClientSession()
        self.client = socketio.AsyncClient(reconnection=False, http_session=self._http)
        self.seen: list[tuple[str, Any]] = []
        self.closed = asyncio.Event()
        self._news = asyncio.Condition()
        self.client.on("*", self._note, namespace=namespace)
        self.client.on("disconnect", self._end, namespace=namespace)

    async def connect(self, url: str, auth: Any, *, path: str = "api/socket.io", **options: Any) -> Peer:
        transports = options.pop("transports", ["websocket"])
        try:
            await self.client.connect(
                url,
                namespaces=[self.namespace],
                auth=auth,
                socketio_path=path,
                transports=transports,
                wait_timeout=WAIT,
                **options,
            )
        except BaseException:
            await self._http.close()
            raise
        return self

    async def emit(self, event: str, data: Any = None) -> None:
        await self.client.emit(event, data, namespace=self.namespace)

    async def call(self, event: str, data: Any = None) -> Any:
        return await self.client.call(event, data, namespace=self.namespace, timeout=WAIT)

    async def next(self, event: str, **members: Any) -> Any:
        """Wait for an event with these members and return its data, taking it off what was seen."""

        def find() -> tuple[str, Any] | None:
            for item in self.seen:
                if item[0] == event and (not members or members.items() <= item[1].items()):
                    return item
            return None

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(find), WAIT)
        item = find()
        assert item is not None
        self.seen.remove(item)
        return item[1]

    async def wait_closed(self, seconds: float = WAIT) -> None:
        await asyncio.wait_for(self.closed.wait(), seconds)

    async def close(self) -> None:
        try:
            await self.client.disconnect()
        finally:
            await self._http.close()

    async def _note(self, event: str, data: Any = None) -> None:
        async with self._news:
            self.seen.append((event, data))
            self._news.notify_all()

    async def _end(self, _reason: str = "") -> None:
        self.closed.set()


@contextlib.asynccontextmanager
async def gui(gateway: Gateway, wallet: WalletKey, **options: Any) -> Any:
    """Connect as a GUI."""
    peer = Peer("/gui-socket")
    try:
        yield await peer.connect(gateway.url, options.pop("auth", gateway.gui_auth(wallet)), **options)
    finally:
        await peer.close()


@contextlib.asynccontextmanager
async def engine(gateway: Gateway, engine_id: str, token: str, *, ready: bool = True, **options: Any) -> Any:
    """Connect as an engine, and say that it is up."""
    peer = Peer("/engine-socket")
    headers = options.pop("headers", {"Authorization": f"Bearer {token}"})
    try:
        await peer.connect(gateway.url, {"engine_id": engine_id, "token": token}, headers=headers, **options)
        if ready:
            await peer.next("auth_success")
            assert await peer.call("engine_ready", {"engine_id": engine_id}) == {"ok": True}
        yield peer
    finally:
        await peer.close()


def settings(folder: Path, **environ: str) -> GatewaySettings:
    given = {
        "FLOWORK_DATA_DIR": str(folder),
        "GATEWAY_ASYNC_MODE": "threading",
        "GATEWAY_PAGE": "plain",
        **UNLIMITED,
        **environ,
    }
    return load(GatewaySettings, given, prefixes=PREFIXES, foreign=FOREIGN)


@contextlib.contextmanager
def in_process(folder: Path, clock: Clock | None = None, **environ: str) -> Iterator[Gateway]:
    """Serve a gateway from a thread of this process."""
    token = new_engine_token()
    bundled = {"GATEWAY_BUNDLED_ENGINE_ID": "eng-bundled", "GATEWAY_BUNDLED_ENGINE_TOKEN": token}
    clock = clock or SystemClock()
    app = startup.build(settings(folder, **bundled, **environ), clock)
    server = ThreadServer(app, "127.0.0.1", 0)
    server.start()
    try:
        yield Gateway(f"http://127.0.0.1:{server.port}", folder, clock, bundled_token=token, app=app)
    finally:
        app.close_sockets()
        server.stop()
        app.close()


def environment(folder: Path, **environ: str) -> dict[str, str]:
    """Return the environment of a gateway in a process of its own."""
    ours = ("GATEWAY_", "FLOWORK_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return clean | {
        "FLOWORK_DATA_DIR": str(folder),
        "GATEWAY_PORT": "0",
        "GATEWAY_PAGE": "plain",
        **UNLIMITED,
        **environ,
    }


def spawn(command: list[str], folder: Path, **environ: str) -> Gateway:
    """Start a gateway as a process and wait until it says where it listens."""
    token = new_engine_token()
    bundled = {"GATEWAY_BUNDLED_ENGINE_ID": "eng-bundled", "GATEWAY_BUNDLED_ENGINE_TOKEN": token}
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.txt"
    address = folder / "gateway" / "address.json"
    address.unlink(missing_ok=True)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(folder, **bundled, **environ),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    deadline = time.monotonic() + 60
    while not address.exists():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)
    return Gateway(json.loads(address.read_text())["url"], folder, bundled_token=token, process=process)


def stop(gateway: Gateway) -> int:
    """End a gateway's process politely and return its exit code."""
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGTERM)
    return gateway.process.wait(15)


@contextlib.contextmanager
def process(command: list[str], folder: Path, **environ: str) -> Iterator[Gateway]:
    """Serve a gateway from a process of its own."""
    gateway = spawn(command, folder, **environ)
    assert gateway.process is not None
    try:
        yield gateway
    finally:
        if gateway.process.poll() is None:
            # politely first: the workers of a gunicorn that is killed go on
            gateway.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                gateway.process.wait(15)
            gateway.process.kill()
            gateway.process.wait(10)
