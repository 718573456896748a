"""Flask with a short way from a request to its answer: every request ends in one answer, seen by ``after``."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Request, Response, has_request_context
from werkzeug.exceptions import HTTPException
from werkzeug.test import Client

from gateway.web.answers import Header, Reply
from gateway.web.application import Application, Received

LIMIT = 10
PLAIN = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/api/v1/user/engines",
    "QUERY_STRING": "a=b",
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "8000",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.url_scheme": "https",
    "HTTP_HOST": "localhost",
}
OTHERS: list[dict[str, Any]] = [
    {},
    {"REQUEST_METHOD": "post", "PATH_INFO": "//two", "QUERY_STRING": "\xe9"},
    {"PATH_INFO": "/caf\xc3\xa9/\xff", "SCRIPT_NAME": "/caf\xc3\xa9/"},
    {"PATH_INFO": "", "SERVER_PORT": ""},
    {"SERVER_NAME": "/run/gateway.sock", "SERVER_PORT": "none"},
    {"SERVER_PORT": None, "PATH_INFO": None, "SCRIPT_NAME": None},
]


class Site:
    """An application of a few views, and what it saw of each request."""

    def __init__(self) -> None:
        self.seen: list[tuple[str | None, int]] = []
        self.app = Application("test", before=self.before, after=self.after, on_error=self.failed)
        self.app.config["MAX_CONTENT_LENGTH"] = LIMIT
        self.app.add_url_rule("/things/<name>", "thing", self.thing, methods=["GET", "PUT"])
        self.app.add_url_rule("/wrong", "wrong", self.wrong)
        self.client = Client(self.app)

    @staticmethod
    def before(request: Request) -> Response | None:
        return Response("from before") if request.path == "/early" else None

    def after(self, request: Request, answer: Reply) -> list[Header]:
        self.seen.append((request.endpoint, answer.status_code))
        return [("X-Seen", "yes")]

    @staticmethod
    def failed(error: Exception) -> Response:
        code = error.code if isinstance(error, HTTPException) else None
        return Response(type(error).__name__, status=code or 500)

    @staticmethod
    def thing(request: Request, /, name: str) -> Response:
        assert not has_request_context()
        return Response(f"{request.method} {name} {request.get_data(as_text=True)}")

    @staticmethod
    def wrong(_: Request, /) -> Response:
        raise ZeroDivisionError


@pytest.fixture
def site() -> Site:
    return Site()


def told(answer: Any) -> tuple[int, str, str | None]:
    return answer.status_code, answer.get_data(as_text=True), answer.headers.get("X-Seen")


def test_a_view_is_handed_the_request_and_the_parts_of_its_path(site: Site) -> None:
    assert told(site.client.get("/things/a%20b")) == (200, "GET a b ", "yes")
    assert told(site.client.put("/things/x", data=b"0123456789")) == (200, "PUT x 0123456789", "yes")
    assert site.seen == [("thing", 200)] * 2


def test_a_path_without_parameters_goes_before_one_with_them(site: Site) -> None:
    site.app.add_url_rule("/things/all", "wrong_thing", site.wrong, methods=["GET"])
    assert told(site.client.get("/things/all")) == (500, "ZeroDivisionError", "yes")
    assert told(site.client.put("/things/all")) == (200, "PUT all ", "yes")
    assert told(site.client.get("/things/all/")) == (404, "NotFound", "yes")
    assert told(site.client.head("/things/all")) == (500, "", "yes")
    assert [operation for operation, _ in site.seen] == ["wrong_thing", "thing", None, "wrong_thing"]


def test_a_head_request_is_answered_without_its_body(site: Site) -> None:
    assert told(site.client.head("/things/x")) == (200, "", "yes")


def test_what_comes_before_may_answer(site: Site) -> None:
    assert told(site.client.get("/early")) == (200, "from before", "yes")
    assert site.seen == [(None, 200)]


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "answer"),
    [
        ("GET", "/nowhere", {}, b"", (404, "NotFound", "yes")),
        ("GET", "", {}, b"", (404, "NotFound", "yes")),
        ("DELETE", "/things/x", {}, b"", (405, "MethodNotAllowed", "yes")),
        ("OPTIONS", "/things/x", {}, b"", (405, "MethodNotAllowed", "yes")),
        ("GET", "/wrong", {}, b"", (500, "ZeroDivisionError", "yes")),
        ("PUT", "/things/x", {}, b"0" * (LIMIT + 1), (413, "RequestEntityTooLarge", "yes")),
        (
            "GET",
            "/things/x",
            {"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket"},
            b"",
            (400, "WebsocketMismatch", "yes"),
        ),
        (
            "GET",
            "/wrong",
            {"Connection": "Upgrade", "Upgrade": "websocket"},
            b"",
            (400, "WebsocketMismatch", "yes"),
        ),
        (
            "GET",
            "/things/x",
            {"Connection": "keep-alive", "Upgrade": "websocket"},
            b"",
            (200, "GET x ", "yes"),
        ),
    ],
)
def test_every_request_has_one_answer(
    site: Site, method: str, path: str, headers: dict[str, str], body: bytes, answer: tuple[int, str, str]
) -> None:
    assert told(site.client.open(path, method=method, headers=headers, data=body)) == answer
    assert len(site.seen) == 1


def test_addresses_can_still_be_written(site: Site) -> None:
    rules = site.app.url_map.bind("host")
    assert rules.build("thing", {"name": "a b"}) == "/things/a%20b"
    assert rules.build("thing", {"name": "x", "more": 1}) == "/things/x?more=1"


@pytest.mark.parametrize("environ", [*(PLAIN | other for other in OTHERS), {}])
def test_a_request_is_read_as_the_library_reads_it(environ: dict[str, Any]) -> None:
    one, other = Received(dict(environ), LIMIT), Request(dict(environ))
    assert one.environ["werkzeug.request"] is one
    assert one.max_content_length == LIMIT
    ours, theirs = vars(one), vars(other)
    assert ours.pop("_max_content_length") == LIMIT
    for read in (ours, theirs):
        assert read.pop("environ").pop("werkzeug.request") in {one, other}
        read["headers"] = dict(read["headers"])
    assert ours == theirs
