"""Signing in, larger bodies, saving to a file and own authorities of the HTTP step, against real servers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from core_engine.components.builtin.http_request.component import HttpRequest
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


class Api:
    """A server that gives tokens and wants them."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.valid = ""
        self.given = 0
        self.lifetime: Any = 3600
        self.url = ""

    async def token(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.requests.append({"path": "/token", "form": dict(form), "headers": request.headers})
        proof = request.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(b"me:secret").decode()
        if proof != right and form.get("client_secret") != "secret":
            return web.json_response({"error": "invalid_client"}, status=401)
        self.given += 1
        self.valid = f"token-{self.given}"
        return web.json_response({"access_token": self.valid, "expires_in": self.lifetime})

    async def data(self, request: web.Request) -> web.StreamResponse:
        self.requests.append({"path": request.path_qs, "headers": request.headers})
        if request.headers.get("Authorization") != f"Bearer {self.valid}":
            return web.json_response({}, status=401)
        return web.json_response({"ok": True})

    async def echo(self, request: web.Request) -> web.Response:
        seen: dict[str, Any] = {"path": request.path_qs, "headers": request.headers}
        if request.content_type == "multipart/form-data":
            seen["parts"] = {
                part.name: (part.filename, part.headers.get("Content-Type"), bytes(await part.read()))
                async for part in await request.multipart()
            }
        else:
            seen["body"] = await request.read()
        self.requests.append(seen)
        return web.json_response({"ok": True})

    async def away(self, request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(request.query["to"])

    async def file(self, request: web.Request) -> web.Response:
        return web.Response(body=b"0123456789" * 200_000)


@pytest.fixture
async def api(serve) -> AsyncIterator[Api]:
    made = Api()
    app = web.Application()
    app.router.add_post("/token", made.token)
    app.router.add_get("/data", made.data)
    app.router.add_route("*", "/echo", made.echo)
    app.router.add_route("*", "/away", made.away)
    app.router.add_get("/file", made.file)
    made.url = await serve(app)
    return made


def oauth(api: Api, **changes: Any) -> dict[str, Any]:
    return {
        "url": f"{api.url}/data", "auth": "oauth2", "token_url": f"{api.url}/token", "client_id": "me",
        "client_secret": "secret", "scope": "read", **changes,
    }  # fmt: skip


@pytest.mark.parametrize("place", ["header", "body"])
async def test_a_token_is_fetched_once_and_kept(run, api: Api, place: str) -> None:
    for _ in range(3):
        result = await run("http_request", oauth(api, client_in=place))
        assert result.outputs["success"].data["body"] == {"ok": True}
    assert api.given == 1
    form = api.requests[0]["form"]
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "read")
    assert ("client_secret" in form) == (place == "body")


async def test_a_token_the_server_does_not_take_any_more_is_renewed_once(run, api: Api) -> None:
    await run("http_request", oauth(api))
    api.valid = "revoked"
    await run("http_request", oauth(api))
    assert api.given == 2
    api.lifetime = 0
    api.valid = "revoked"
    await run("http_request", oauth(api))
    await run("http_request", oauth(api))
    assert api.given == 4  # the third one ended at once, so it was not used again


async def test_a_wrong_client_secret_fails_without_being_told(run, api: Api) -> None:
    with pytest.raises(FloworkError, match="token address answered 401") as caught:
        await run("http_request", oauth(api, client_secret="wrong-pass"))
    assert "wrong-pass" not in str(caught.value) + str(caught.value.details)
    with pytest.raises(FloworkError, match="without an access_token"):
        await run("http_request", oauth(api, token_url=f"{api.url}/echo"))


async def test_a_key_goes_into_the_header_or_the_query_and_is_not_shown(run, api: Api, step) -> None:
    key = {"auth": "api_key", "api_key": "k-123", "api_key_name": "X-Key", "url": f"{api.url}/echo"}
    await run("http_request", key)
    result = await run("http_request", {**key, "api_key_in": "query", "api_key_name": "key"})
    first, second = api.requests
    assert first["headers"]["X-Key"] == "k-123"
    assert second["path"] == "/echo?key=k-123"
    assert "k-123" not in str(result.outputs["success"].data) + str(step.logs)


async def test_what_proves_who_we_are_stays_with_the_server_it_is_for(run, api: Api) -> None:
    other = api.url.replace("127.0.0.1", "localhost")
    for target, stays in ((api.url, True), (other, False)):
        api.requests.clear()
        for config in (
            {"auth": "api_key", "api_key": "k", "api_key_name": "X-Key"},
            {"auth": "bearer", "token": "t"},
        ):
            await run("http_request", {"url": f"{api.url}/away?to={target}/echo", **config})
        with_key, with_token = (seen["headers"] for seen in api.requests)
        assert ("X-Key" in with_key, "Authorization" in with_token) == (stays, stays)


async def test_a_redirect_that_keeps_the_method_sends_the_body_again(run, api: Api, root) -> None:
    (root / "up.bin").write_bytes(b"\x00\x01")
    config = {"url": f"{api.url}/away?to=/echo", "method": "POST", "body_kind": "raw", "body_file": "up.bin"}
    await run("http_request", config)
    assert api.requests[0]["body"] == b"\x00\x01"
    assert api.requests[0]["headers"]["Content-Type"] == "application/octet-stream"


async def test_files_are_sent_in_parts_and_raw(run, api: Api, root) -> None:
    (root / "a.csv").write_bytes(b"x;y\n")
    config = {"url": f"{api.url}/echo", "method": "POST"}
    parts = {
        "body_kind": "multipart", "form_fields": [{"name": "title", "value": "é"}],
        "form_files": '[{"name": "file", "path": "a.csv", "filename": "b.csv", "content_type": "text/csv"}]',
    }  # fmt: skip
    await run("http_request", {**config, **parts})
    seen = api.requests[0]["parts"]
    assert seen["file"] == ("b.csv", "text/csv", b"x;y\n")
    assert seen["title"][2] == "é".encode()
    await run("http_request", {**config, "body_kind": "raw", "body": base64.b64encode(b"\xff").decode()})
    assert api.requests[1]["body"] == b"\xff"
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {**config, "body_kind": "raw", "body": "no base64!"})
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {**config, "body_kind": "raw", "body_file": "../../etc/passwd"})
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_an_answer_is_saved_whole_or_not_at_all(run, api: Api, root) -> None:
    config = {"url": f"{api.url}/file", "save_to": "in/data.bin", "max_response_kib": 1}
    data = (await run("http_request", config)).outputs["success"].data
    content = b"0123456789" * 200_000
    assert (root / "in/data.bin").read_bytes() == content
    assert data["file"] == {
        "path": str(root / "in/data.bin"),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert (data["size_bytes"], data["body"]) == (len(content), None)
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {**config, "max_file_mib": 1})
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert [entry.name for entry in (root / "in").iterdir()] == ["data.bin"]
    assert (root / "in/data.bin").read_bytes() == content
    with pytest.raises(FloworkError) as caught:
        await run("http_request", {**config, "save_to": "../out"})
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_an_error_page_is_not_saved(run, api: Api, root) -> None:
    with pytest.raises(FloworkError, match="401"):
        await run("http_request", {"url": f"{api.url}/data", "save_to": "x"})
    assert not (root / "x").exists()


async def test_kinds_of_answer(run, api: Api) -> None:
    config = {"url": f"{api.url}/echo"}

    async def body(kind: str) -> Any:
        return (await run("http_request", {**config, "response": kind})).outputs["success"].data["body"]

    assert await body("text") == '{"ok": true}'
    assert base64.b64decode(await body("base64")) == b'{"ok": true}'
    assert await body("json") == {"ok": True}
    with pytest.raises(FloworkError, match="not JSON"):
        await run("http_request", {"url": f"{api.url}/file", "response": "json"})


async def test_certificates_are_checked_by_name_and_authority(run, serve, certificate) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(1)

    app = web.Application()
    app.router.add_get("/", answer)
    url = (await serve(app, tls=certificate.context)).replace("127.0.0.1", "localhost")
    with pytest.raises(FloworkError, match="certificate is not trusted"):
        await run("http_request", {"url": url})
    trusted = {"ca_certificates": certificate.pem}
    assert (await run("http_request", {"url": url, **trusted})).outputs["success"].data["body"] == 1
    with pytest.raises(FloworkError, match="certificate is not trusted"):
        await run("http_request", {"url": url.replace("localhost", "127.0.0.1"), **trusted})
    with pytest.raises(FloworkError, match="not PEM"):
        await run("http_request", {"url": url, "ca_certificates": "nonsense"})


@pytest.mark.parametrize(
    ("config", "what"),
    [
        ({"auth": "oauth2"}, "token_url"), ({"auth": "api_key"}, "key"), ({"auth": "magic"}, "auth"),
        ({"save_to": "x", "paging": "cursor"}, "paging"), ({"max_pages": 0}, "max_pages"),
        ({"form_files": [{"name": "x"}]}, "form_files.0.path"), ({"retries": 99}, "retries"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(registry, config: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("http_request").parse_config({"url": "https://example.com", **config})
    error = caught.value.errors()[0]
    assert what in ".".join(map(str, error["loc"])) + error["msg"]


async def test_a_private_token_address_is_refused(step, api: Api) -> None:
    component = HttpRequest(NetworkPolicy())
    with pytest.raises(FloworkError) as caught:
        await component.execute(step, component.parse_config(oauth(api)), Payload())
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert api.given == 0


async def test_simulating_fetches_no_token_and_writes_no_file(run, api: Api, root) -> None:
    await run("http_request", oauth(api, save_to="x"), mode=RunMode.SIMULATE)
    assert api.requests == []
    assert list(root.iterdir()) == []
