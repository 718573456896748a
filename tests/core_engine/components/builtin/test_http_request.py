"""The HTTP step against a real server on loopback."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core_engine.components.builtin.http_request.component import HttpRequest
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


class Server:
    """Answers in many ways and remembers what it was asked."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.port = 0
        self.never = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(
            {
                "method": request.method, "path": request.path_qs, "headers": dict(request.headers),
                "body": await request.text(),
            }
        )  # fmt: skip
        match request.path:
            case "/json":
                return web.json_response({"n": 1}, headers={"X-Answer": "yes"})
            case "/text":
                return web.Response(text="grüße", content_type="text/plain", charset="latin-1")
            case "/bytes":
                return web.Response(body=b"\xff\xfe\x00", content_type="application/octet-stream")
            case "/broken-json":
                return web.Response(text="{", content_type="application/json")
            case "/missing":
                return web.json_response({"why": "gone"}, status=404)
            case "/big":
                return web.Response(body=b"x" * 5000)
            case "/bomb":
                packed = gzip.compress(b"\0" * (20 << 20))
                return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
            case "/slow":
                await self.never.wait()
            case "/redirect":
                raise web.HTTPFound(request.query["to"])
            case "/loop":
                raise web.HTTPFound("/loop")
        return web.Response()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    made.never.set()
    await runner.cleanup()


async def test_an_answer_is_handed_on_parsed(run, server: Server, step) -> None:
    result = await run("http_request", {"url": f"{server.url}/json?secret=1"}, Payload({}, ["h"]))
    data = result.outputs["success"].data
    assert (data["status"], data["reason"], data["body"], data["size_bytes"]) == (200, "OK", {"n": 1}, 8)
    assert data["headers"]["x-answer"] == "yes"
    assert data["elapsed_ms"] > 0
    assert result.outputs["success"].history == ["h"]
    assert "secret" not in str(step.logs)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/text", "grüße"),
        ("/bytes", base64.b64encode(b"\xff\xfe\x00").decode()),
        ("/broken-json", "{"),
        ("/none", None),
    ],
)
async def test_other_bodies_become_text_or_base64(run, server: Server, path: str, body) -> None:
    assert (await run("http_request", {"url": server.url + path})).outputs["success"].data["body"] == body


@pytest.mark.parametrize(
    ("config", "kind", "body"),
    [
        ({"body_kind": "json", "body": {"a": [1]}}, "application/json", '{"a":[1]}'),
        ({"body_kind": "json", "body": '{"a": 1}'}, "application/json", '{"a": 1}'),
        ({"body_kind": "text", "body": "hi é"}, "text/plain; charset=utf-8", "hi é"),
        (
            {"body_kind": "form", "form_fields": [{"name": "a", "value": "1 2"}]},
            "application/x-www-form-urlencoded", "a=1+2",
        ),
        (
            {"body_kind": "json", "body": 1, "headers": [{"name": "content-type", "value": "application/vnd.x+json"}]},
            "application/vnd.x+json", "1",
        ),
        ({}, None, ""),
    ],
)  # fmt: skip
async def test_every_kind_of_body_is_sent(run, server: Server, config, kind, body) -> None:
    await run("http_request", {"url": f"{server.url}/json", "method": "PUT", **config})
    (seen,) = server.requests
    assert (seen["method"], seen["body"]) == ("PUT", body)
    if kind:
        assert seen["headers"].get("Content-Type", seen["headers"].get("content-type")) == kind


async def test_query_headers_and_sign_in_are_sent(run, server: Server) -> None:
    config = {
        "url": f"{server.url}/json?a=1", "query": [{"name": "b", "value": "x y&z"}],
        "headers": [{"name": "X-Mine", "value": "1"}, {"name": "user-agent", "value": "Mine/1"}],
    }  # fmt: skip
    await run("http_request", {**config, "auth": "basic", "username": "u", "password": "p:w"})
    await run("http_request", {**config, "auth": "bearer", "token": "tok"})
    basic, bearer = server.requests
    assert basic["path"] == "/json?a=1&b=x+y%26z"
    headers = {name.lower(): value for name, value in basic["headers"].items()}
    assert (headers["x-mine"], headers["user-agent"]) == ("1", "Mine/1")
    assert headers["authorization"] == "Basic " + base64.b64encode(b"u:p:w").decode()
    assert bearer["headers"]["Authorization"] == "Bearer tok"


async def test_a_bad_status_fails_the_step_unless_asked_otherwise(run, server: Server) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {"url": f"{server.url}/missing?token=t"})
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert caught.value.details["body"] == {"why": "gone"}
    assert "token" not in caught.value.message
    result = await run("http_request", {"url": f"{server.url}/missing", "fail_on_status": False})
    assert result.outputs["success"].data["status"] == 404


@pytest.mark.parametrize("path", ["/big", "/bomb"])
async def test_an_answer_over_the_limit_is_refused(run, server: Server, path: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {"url": server.url + path, "max_response_kib": 4})
    assert caught.value.code is ErrorCode.TOO_LARGE


async def test_a_silent_server_is_given_up(run, server: Server) -> None:
    with pytest.raises(FloworkError, match=r"did not answer within 0\.2 s"):
        await run("http_request", {"url": f"{server.url}/slow", "timeout_seconds": 0.2})


async def test_a_closed_port_fails_the_step(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {"url": f"http://127.0.0.1:{port}/"})
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


async def test_redirects_are_followed_within_bounds_and_shown_when_not(run, server: Server) -> None:
    url = f"{server.url}/redirect?to=/json"
    assert (await run("http_request", {"url": url})).outputs["success"].data["url"] == f"{server.url}/json"
    stay = await run("http_request", {"url": url, "follow_redirects": False})
    assert (stay.outputs["success"].data["status"], stay.outputs["success"].data["headers"]["location"]) == (
        302,
        "/json",
    )
    with pytest.raises(FloworkError, match="redirects more than 10 times"):
        await run("http_request", {"url": f"{server.url}/loop"})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "gopher://example.com/", "file:///etc/passwd", "//example.com/", "example.com", "http://",
        "http://user:secret@example.com/", "http://[::1", "unix:///run/docker.sock", "data:text/plain,x",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_for_the_web_are_refused(run, url: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {"url": url})
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "header",
    [{"name": "Host", "value": "x"}, {"name": "X", "value": "a\r\nB: c"}, {"name": "A\nB", "value": "c"}],
)
async def test_headers_that_would_change_the_request_are_refused(run, server: Server, header) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {"url": server.url, "headers": [header]})
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert server.requests == []


async def refused(step, url: str, policy: NetworkPolicy | None = None) -> FloworkError:
    component = HttpRequest(policy or NetworkPolicy())
    with pytest.raises(FloworkError) as caught:
        await component.execute(step, component.parse_config({"url": url, "timeout_seconds": 5}), Payload())
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "localhost", "0.0.0.0", "0", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]",
        "[::ffff:127.0.0.1]", "[::]", "169.254.169.254", "10.0.0.1", "[fe80::1]", "[fd00::1]", "127.0.0.1.",
    ],
)  # fmt: skip
async def test_no_spelling_of_a_private_address_is_dialled(step, server: Server, host: str) -> None:
    error = await refused(step, f"http://{host}:{server.port}/json")
    assert error.code in {ErrorCode.FORBIDDEN, ErrorCode.COMPONENT_FAILED}
    if host in {"127.0.0.1", "localhost", "0.0.0.0", "[::1]", "169.254.169.254", "10.0.0.1"}:
        assert error.code is ErrorCode.FORBIDDEN
    assert server.requests == []


async def test_a_redirect_to_a_private_address_is_refused(step, server: Server) -> None:
    """The server itself is allowed here; what it points to is not."""
    policy = NetworkPolicy(["127.0.0.1/32"])
    for target in ("http://127.0.0.2/", "http://[::1]/", "http://169.254.169.254/latest/meta-data"):
        assert (await refused(step, f"{server.url}/redirect?to={target}", policy)).code is ErrorCode.FORBIDDEN
    other = await refused(step, f"{server.url}/redirect?to=file:///etc/passwd", policy)
    assert other.code is ErrorCode.COMPONENT_FAILED


async def test_a_name_that_changes_its_address_is_judged_by_the_address_dialled(
    step, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: whatever the resolver says, and however often it is asked, the dialled address is judged."""
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1", "127.0.0.1"])

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict[str, Any]]:
        return [
            {
                "hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in answers
            if address.startswith("127.")
        ]  # fmt: skip

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    assert (await refused(step, f"http://public.example:{server.port}/json")).code is ErrorCode.FORBIDDEN
    assert server.requests == []


@pytest.mark.parametrize(
    ("config", "policy"),
    [
        ({"method": "GET"}, StepPolicy.REPEATABLE), ({"method": "HEAD"}, StepPolicy.REPEATABLE),
        ({"method": "POST"}, StepPolicy.ONCE), ({"method": "DELETE"}, StepPolicy.ONCE),
        ({"method": "POST", "after_crash": "key"}, StepPolicy.KEYED),
        ({"method": "GET", "after_crash": "once"}, StepPolicy.ONCE),
    ],
)  # fmt: skip
def test_what_may_be_repeated_depends_on_the_method_and_the_choice(
    registry, config, policy: StepPolicy
) -> None:
    component = registry.find("http_request")
    assert component.policy is StepPolicy.ONCE
    assert component.policy_for(component.parse_config({"url": "https://example.com", **config})) is policy


async def test_the_key_is_the_same_for_every_attempt(run, server: Server, step) -> None:
    config = {"url": f"{server.url}/json", "method": "POST", "after_crash": "key"}
    await run("http_request", config)
    await run("http_request", config, attempt=2)
    await run("http_request", {**config, "after_crash": "auto"})
    keys = [seen["headers"].get("Idempotency-Key") for seen in server.requests]
    assert keys == [step.idempotency_key, step.idempotency_key, None]


async def test_simulating_sends_nothing(run, server: Server) -> None:
    result = await run("http_request", {"url": f"{server.url}/json", "method": "POST"}, mode=RunMode.SIMULATE)
    assert (result.outputs["success"].data["status"], result.outputs["success"].data["simulated"]) == (
        200,
        True,
    )
    assert server.requests == []
