"""The outermost layer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.settings import Server
from gateway.web.front import Front
from gateway.web.hosts import Hosts

HOSTS = Hosts(Server())
COUNTED: list[dict[str, Any]] = []


class Broken:
    def handle_request(self, _environ: dict[str, Any], _start: Any) -> Any:
        raise RuntimeError("the secret text")


def ask(front: Front, **environ: str) -> tuple[str, dict[str, Any]]:
    told: list[str] = []
    body = front(dict(environ), lambda status, _headers: told.append(status))
    return told[0], json.loads(b"".join(body))


def site(_environ: dict[str, Any], start: Any) -> list[bytes]:
    start("200 OK", [])
    return [b"{}"]


@pytest.mark.parametrize("length", ["-1", "+1", "1_0", "٣", "1 ", "0x1"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    status, body = ask(Front(Broken(), site, HOSTS, COUNTED.append), CONTENT_LENGTH=length, PATH_INFO="/")
    assert (status, body["code"]) == ("400 Bad Request", "INVALID_REQUEST")


def test_an_error_below_is_an_incident(caplog: pytest.LogCaptureFixture) -> None:
    status, body = ask(Front(Broken(), site, HOSTS, COUNTED.append), PATH_INFO="/socket.io/")
    assert (status, body["code"]) == ("500 Internal Server Error", "INTERNAL")
    assert "secret" not in str(body)
    assert [record.incident for record in caplog.records] == [body["details"]["incident"]]


def test_the_site_answers_everything_else() -> None:
    assert ask(Front(Broken(), site, HOSTS, COUNTED.append), PATH_INFO="/socket.io")[0] == "200 OK"
    assert ask(Front(Broken(), site, HOSTS, COUNTED.append), PATH_INFO="/", CONTENT_LENGTH="")[0] == "200 OK"
