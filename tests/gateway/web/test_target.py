"""The target of a request as it was sent, whichever server passes it on."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from gateway.web.target import is_ambiguous, request_target
from tests.gateway.support import WAIT, Gateway


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({"RAW_PATH_INFO": "/a%20b", "QUERY_STRING": "c=%64"}, "/a%20b?c=%64"),
        ({"RAW_PATH_INFO": "/a", "QUERY_STRING": ""}, "/a?"),
        ({"RAW_PATH_INFO": "/a"}, "/a"),
        ({"RAW_URI": "/a%20b?c", "PATH_INFO": "/a b"}, "/a%20b?c"),
        ({"REQUEST_URI": "/a?c", "PATH_INFO": "/a"}, "/a?c"),
        ({"RAW_URI": "http://host/a?c", "PATH_INFO": "/a", "QUERY_STRING": "c"}, "/a?c"),
        ({"PATH_INFO": "/\xc3\xa4 b"}, "/%C3%A4%20b"),
    ],
)
def test_the_target_is_found(environ: dict[str, str], target: str) -> None:
    assert request_target(environ) == target


@pytest.mark.parametrize(
    "path",
    [
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a\\b",
        "/a%00",
        "/a%2e%2e/b",
        "/a/../b",
        "/a/./b",
        "/a/..",
        "//a",
        "/a//b",
    ],
)
def test_paths_that_two_parsers_could_read_differently(path: str) -> None:
    assert is_ambiguous({"RAW_URI": path})


@pytest.mark.parametrize("path", ["/a", "/a.b/c", "/a..b", "/.well-known/x", "/a?b=//../%2f"])
def test_ordinary_paths(path: str) -> None:
    assert not is_ambiguous({"RAW_URI": path})


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1//system/health",
        "/api/v1/system%2Fhealth",
        "/api/v1/x/../system/health",
        "/api/v1/system/%2e/health",
        "/api\\v1\\system\\health",
    ],
)
def test_they_are_not_found_on_any_server(live: Gateway, path: str) -> None:
    where = urlsplit(live.url)
    with socket.create_connection((where.hostname, where.port), timeout=WAIT) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := wire.recv(65_536):
            answer += part
    assert b" 404 " in answer.split(b"\r\n")[0]
