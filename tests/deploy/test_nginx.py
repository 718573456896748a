"""The nginx example before a real platform: the page, signed REST and the engine's WebSocket, all over TLS."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from shared.signing.envelope import seal
from shared.signing.rest import sign_headers
from tests.support.platform import ROOT, Platform, running_platform, wait_for

EXAMPLE = ROOT / "deploy" / "nginx" / "flowork.conf"
API, SOCKET = "api.example.org", "socket.example.org"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def certificate(folder: Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("OpenSSL is not installed: openssl was not found")
    names = f"subjectAltName=DNS:{API},DNS:{SOCKET}"
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subject = ["-subj", f"/CN={API}", "-addext", names, "-days", "2", "-newkey", "rsa:2048", "-nodes"]
    subprocess.run([program, "req", "-x509", *subject, *files], check=True, capture_output=True, timeout=60)


def adapted(platform: Platform, folder: Path, tls: int) -> str:
    """Return the shipped example with the ports and certificates of this test."""
    text = EXAMPLE.read_text()
    changes = {
        "127.0.0.1:8000": f"127.0.0.1:{platform.gateway_port}",
        "127.0.0.1:8765": f"127.0.0.1:{platform.socket_port}",
        "listen 443 ssl": f"listen 127.0.0.1:{tls} ssl",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        "/etc/ssl/flowork": str(folder),
    }
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    head = f"daemon off; master_process off; pid {folder}/pid; error_log stderr;\nevents {{}}\n"
    return f"{head}http {{ access_log off;\n{paths}{text}}}\n"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder, names = tmp_path_factory.mktemp("platform"), {"GATEWAY_PUBLIC_URL": f"https://{API}"}
    with running_platform(folder, **names) as platform:
        yield platform


@pytest.fixture(scope="module")
def port(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run nginx with the example; return its TLS port."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("nginx is not installed: nginx was not found")
    folder, tls = tmp_path_factory.mktemp("nginx"), free_port()
    certificate(folder)
    config, log = folder / "nginx.conf", folder / "log.txt"
    config.write_text(adapted(platform, folder, tls))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-c", str(config)], stdout=output, stderr=output
        )

    def listening() -> bool:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", tls), 1):
            return True
        return False

    try:
        wait_for(listening, "nginx to listen")
        yield tls
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def trust(port: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False  # the addresses are numbers here; the names go into SNI and Host
    context.verify_mode = ssl.CERT_NONE
    return context


def test_page_and_signed_rest_arrive_at_the_gateway(
    platform: Platform, port: int, trust: ssl.SSLContext
) -> None:
    def get(path: str, headers: dict[str, str]) -> httpx.Response:
        extensions = {"sni_hostname": API}
        with httpx.Client(verify=trust, trust_env=False, timeout=30) as http:
            url = f"https://127.0.0.1:{port}{path}"
            return http.get(url, headers={"Host": API, **headers}, extensions=extensions)

    assert get("/", {}).status_code == 200
    target = "/api/v1/auth/profile"
    signed = sign_headers(platform.owner, "GET", target, b"", now_ms=time.time_ns() // 1_000_000)
    assert get(target, dict(signed)).status_code == 200
    assert get(target, {}).status_code == 401


def test_a_websocket_of_the_gateway_is_passed_on(port: int, trust: ssl.SSLContext) -> None:
    request = (
        "GET /api/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
        f"Host: {API}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    plain = socket.create_connection(("127.0.0.1", port), 30)
    with trust.wrap_socket(plain, server_hostname=API) as stream:
        stream.sendall(request.encode())
        assert stream.recv(1024).startswith(b"HTTP/1.1 101 ")


def test_a_signed_command_arrives_at_the_engine(platform: Platform, port: int, trust: ssl.SSLContext) -> None:
    raw = socket.create_connection(("127.0.0.1", port), 30)
    url = f"wss://{SOCKET}/?engineId={platform.engine_id}"
    with connect(url, sock=raw, ssl=trust, open_timeout=30, proxy=None) as peer:
        now_ms = time.time_ns() // 1_000_000
        peer.send(
            seal(platform.owner, platform.engine_id, {"type": "request_components_list"}, now_ms=now_ms)
        )
        while (frame := json.loads(peer.recv(30))).get("type") != "components_list_response":
            assert frame.get("type") != "error", frame


def test_nothing_else_of_the_engine_is_reachable(port: int, trust: ssl.SSLContext) -> None:
    with httpx.Client(verify=trust, trust_env=False, timeout=30) as http:
        answer = http.get(
            f"https://127.0.0.1:{port}/api/v1/status",
            headers={"Host": SOCKET},
            extensions={"sni_hostname": SOCKET},
        )
    assert answer.status_code == 404


def test_both_ways_in_name_the_same_hosts() -> None:
    tunnel = (ROOT / "deploy" / "cloudflared" / "config.yml").read_text()
    hosts = re.findall(r"hostname: (\S+)\n\s+service: http://(\w+):(\d+)", tunnel)
    assert hosts == [(API, "gateway", "8000"), (SOCKET, "engine", "8765")]
    assert all(f"server_name {host};" in EXAMPLE.read_text() for host, _, _ in hosts)
