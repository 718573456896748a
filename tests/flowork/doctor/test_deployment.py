"""The doctor about a deployment: real Redis and PostgreSQL, the disk, the clock, ports, secrets, the way in."""

from __future__ import annotations

import base64
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core_engine.storage.claims import Claims, Offer
from core_engine.storage.claims_connection import KeptConnection
from core_engine.storage.claims_work import ClaimedWork
from core_engine.workers.consumer import CANARY_KEPT_SECONDS, canary_key
from flowork.deployment import environment
from flowork.doctor.finding import Finding, Level
from flowork.doctor.machine import check_clock, check_disk, check_ports, judge_clock, judge_disk
from flowork.doctor.outside import check_outside
from flowork.doctor.services import judge_version
from flowork.doctor.stores import check_stores
from flowork.doctor.strength import check_file, check_strength, is_weak
from flowork.doctor.workers import check_workers
from flowork.dotenv import parse
from tests.support.postgres import PASSWORD, postgres_server
from tests.support.redis import redis_server

PUBLIC = "http://gateway.example.invalid"


def levels(findings: list[Finding]) -> dict[str, Level]:
    return {finding.topic: finding.level for finding in findings}


def no_secret(findings: list[Finding], secret: str) -> None:
    assert secret not in repr(findings)
    assert all(finding.advice for finding in findings if finding.level is not Level.OK)


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_redis_as_it_should_be_and_what_is_wrong_with_others(tmp_path: Path) -> None:
    import redis

    with redis_server(tmp_path, "a-good-pass-phrase") as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory-policy", "noeviction")
        good = {"ENGINE_REDIS_URL": server.url}
        assert set(levels(check_stores(good)).values()) == {Level.OK}
        shared = {"REDIS_URL": server.url, "ENGINE_STEPS": "workers"}
        assert levels(check_stores(shared))["Redis databases"] is Level.WARN
        apart = shared | {"GATEWAY_REDIS_URL": server.url[:-1] + "1"}
        assert levels(check_stores(apart))["Redis databases"] is Level.OK
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        found = check_stores(good)
        assert levels(found)["Redis memory"] is Level.FAIL
        no_secret(found, "a-good-pass-phrase")
        wrong = check_stores({"REDIS_URL": server.url.replace("a-good", "a-wrong")})
        assert levels(wrong)["Redis"] is Level.FAIL
        no_secret(wrong, "a-wrong-pass-phrase")


def test_an_engine_without_workers_is_told(tmp_path: Path) -> None:
    import redis

    with redis_server(tmp_path, "a-good-pass-phrase") as server:
        environ = {"ENGINE_REDIS_URL": server.url, "ENGINE_STEPS": "workers"}
        with redis.Redis.from_url(server.url) as client:
            assert levels(check_workers(environ)) == {"workers": Level.WARN}
            client.set(canary_key("long-gone"), 1, ex=CANARY_KEPT_SECONDS - 600)
            assert levels(check_workers(environ)) == {"workers": Level.WARN}
            client.set(canary_key("here"), 7, ex=CANARY_KEPT_SECONDS)
            (found,) = check_workers(environ)
        assert (found.level, found.text) == (Level.OK, "1 answered within the last minutes")
        assert check_workers(environ | {"ENGINE_STEPS": "engine"}) == []
    assert check_workers(environ) == []


async def test_a_worker_that_is_too_busy_to_answer_is_counted(tmp_path: Path) -> None:
    import redis

    with redis_server(tmp_path, "a-good-pass-phrase") as broker, postgres_server() as database:
        environ = {"ENGINE_REDIS_URL": broker.url, "ENGINE_STEPS": "workers", "DATABASE_URL": database.url}
        assert levels(check_workers(environ)) == {"workers": Level.WARN}  # not even the tables are there
        connection = KeptConnection(database.url, "test", 20)
        claims = Claims(connection, "engine-1")
        await claims.prepare()
        for name, seconds in (("one", 600.0), ("two", 600.0), ("three", 0.0), ("four", 600.0)):
            await claims.offer(Offer(name, "run", "node", 1, name, 1, "queue", "", seconds, b""))
            if name != "four":
                assert await ClaimedWork(connection, "engine-1", f"worker-{name}").claim(name)
        await connection.close()
        (found,) = check_workers(environ)
        assert (found.level, found.text) == (Level.OK, "2 at work on steps")
        with redis.Redis.from_url(broker.url) as client:
            client.set(canary_key("worker-one"), 7, ex=CANARY_KEPT_SECONDS)
        (found,) = check_workers(environ)
        assert found.text == "1 answered within the last minutes, 1 more at work on steps"


def test_a_redis_that_is_open_or_not_there(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        assert levels(check_stores({"REDIS_URL": server.url}))["Redis password"] is Level.WARN
    gone = check_stores({"REDIS_URL": f"redis://:some-word@127.0.0.1:{closed_port()}/0"})
    assert levels(gone)["Redis"] is Level.FAIL
    no_secret(gone, "some-word")
    assert levels(check_stores({"REDIS_URL": "not an address"}))["Redis"] is Level.FAIL


def test_the_database() -> None:
    assert levels(check_stores({})) == {"database": Level.OK}
    with postgres_server() as server:
        found = check_stores({"DATABASE_URL": server.url.replace("postgresql:", "postgresql+psycopg:")})
        assert levels(found) == {"database": Level.OK, "database rights": Level.OK}
        no_secret(found, PASSWORD)
        wrong = check_stores({"DATABASE_URL": server.url.replace("own", "0wn")})
    assert levels(wrong) == {"database": Level.FAIL}
    no_secret(wrong, "0wn")


def test_the_disk(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "not" / "yet").topic == "disk"
    gib = 1024**3
    assert judge_disk(50 * gib, 100 * gib).level is Level.OK
    assert judge_disk(5 * gib, 100 * gib).level is Level.WARN
    assert judge_disk(1 * gib, 100 * gib).level is Level.FAIL
    assert judge_disk(gib // 10, gib).level is Level.FAIL


def test_the_clock() -> None:
    assert all(finding.level in {Level.OK, Level.NOTE} for finding in check_clock())
    assert judge_clock(kept=True).level is Level.OK
    assert judge_clock(kept=False).advice


def test_ports() -> None:
    free = {name: str(closed_port()) for name in ("GATEWAY_PORT", "ENGINE_SOCKET_PORT", "ENGINE_HTTP_PORT")}
    assert levels(check_ports(free, running=False)) == {"ports": Level.OK}
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = free | {"GATEWAY_PORT": str(server.getsockname()[1])}
        (finding,) = check_ports(taken, running=False)
        assert finding.level is Level.FAIL
        assert "GATEWAY_PORT" in finding.advice
        assert check_ports(taken, running=True) == []


def test_secrets_are_strong_where_we_made_them() -> None:
    made = parse(environment.render())
    assert set(levels(check_strength(made)).values()) == {Level.OK}
    assert check_strength({}) == []


@pytest.mark.parametrize(
    "secret", ["short", "a" * 64, "flork_sec_" + "12" * 20, "flork_sec_changeme-4f9a8b7c6d5e4f3a2b1c"]
)
def test_weak_secrets_are_named_not_shown(secret: str) -> None:
    assert is_weak(secret)
    found = check_strength({"REDIS_PASSWORD": secret})
    assert levels(found)["secrets' strength"] is Level.FAIL
    assert "REDIS_PASSWORD" in found[0].text
    no_secret(found, secret)


def test_a_secret_for_two_purposes() -> None:
    made = parse(environment.render())
    found = check_strength(made | {"REDIS_PASSWORD": made["POSTGRES_PASSWORD"]})
    assert levels(found)["secrets' purposes"] is Level.FAIL
    no_secret(found, made["POSTGRES_PASSWORD"])


def test_the_file_of_secrets(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert check_file(path) == []
    environment.write(path)
    assert levels(check_file(path)) == {".env": Level.OK}
    path.chmod(0o640)
    assert levels(check_file(path)) == {".env": Level.FAIL}


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="public address")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()


def test_the_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_outside({}) == []
    assert check_outside({"GATEWAY_PUBLIC_URL": "http://127.0.0.1:8000"}) == []
    found = levels(check_outside({"GATEWAY_PUBLIC_URL": PUBLIC}))
    assert found == {"TLS": Level.FAIL, "public address": Level.WARN}
    monkeypatch.setattr("flowork.doctor.outside.is_loopback", lambda _url: False)
    with answering(200, b'{"status": "healthy"}') as url:
        assert levels(check_outside({"GATEWAY_PUBLIC_URL": url}))["public address"] is Level.OK
    with answering(400, b"{}") as url:
        assert levels(check_outside({"GATEWAY_PUBLIC_URL": url}))["public address"] is Level.WARN


def test_the_token_of_a_tunnel() -> None:
    token = base64.b64encode(json.dumps({"a": "1", "t": "2", "s": "3"}).encode()).decode()
    assert levels(check_outside({"CLOUDFLARED_TOKEN": "half a tok"})) == {"tunnel": Level.FAIL}
    assert levels(check_outside({"CLOUDFLARED_TOKEN": token})) == {"tunnel": Level.FAIL}
    given = {"CLOUDFLARED_TOKEN": token, "GATEWAY_PUBLIC_URL": PUBLIC}
    found = check_outside(given)
    assert levels(found)["tunnel"] is Level.OK
    assert token not in repr(found)


def test_versions() -> None:
    assert judge_version("engine", "0.0.0").level is Level.WARN
    assert judge_version("engine", "0.0.0").advice
