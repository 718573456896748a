"""Every component's example runs in the real engine, and simulating it has no effect."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from core_engine.components.isolation import rungs
from core_engine.components.isolation.rungs import Rung
from core_engine.components.registry import BUILTIN
from shared.contract.run import RunMode, RunStatus
from tests.support.docker import docker_image
from tests.support.redis import redis_server

NAMES = sorted(folder.name for folder in BUILTIN.iterdir() if (folder / "component.py").exists())
RECORDED = {"http_request", "rss", "send_email", "sftp"}
MACHINERY = {"redis_command": "redis_data", "docker_container": "docker_data", "shell_command": "shell_data"}
"""Fixtures that give the data of examples which need a server or program; they skip where it is missing."""


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


FEED = '<rss version="2.0"><channel><title>News</title><item><title>One</title><guid>1</guid></item></channel></rss>'
SIGN_IN = {"username": "garden", "password": "pass word"}
# Files that an example's first step would write, which simulating only says.
WAS_HERE_BEFORE = {
    "read_file": "examples/hello.txt", "checksum": "examples/checked.txt", "list_files": "examples/notes/a.md",
}  # fmt: skip

Outside = Callable[[], Awaitable[tuple[dict[str, Any] | None, list[Any]]]]


@pytest.fixture
async def site(serve) -> tuple[str, list[str]]:
    """A page and a feed, and what of them was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text=FEED if request.path == "/feed" else "hello")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    return await serve(app), asked


@pytest.fixture
def outside(request: pytest.FixtureRequest, name: str) -> Outside:
    """The server an example talks to: the data that names it, and a list that grows when it is asked."""
    needed = {
        "http_request": "site", "rss": "site", "send_email": "mail_server", "sftp": "file_server",
        "mqtt_publish": "broker", "mqtt_wait": "broker", "fetch_email": "mailbox",
    }  # fmt: skip
    server = request.getfixturevalue(needed[name]) if name in needed else None

    async def reach() -> tuple[dict[str, Any] | None, list[Any]]:
        here = {"host": "127.0.0.1", "security": "none", **SIGN_IN}
        match name:
            case "http_request" | "rss":
                return {"url": f"{server[0]}/{'feed' if name == 'rss' else ''}"}, server[1]
            case "send_email":
                mail = await server("none")
                return {**here, "port": mail.port}, mail.messages
            case "sftp":
                return {**here, "port": server.port, "host_key": server.host_key}, server.asked
            case "mqtt_publish" | "mqtt_wait":
                return {**here, "port": server.port, "reading": 41}, []
            case "fetch_email":
                return {**here, "port": server.port}, []
        return None, []

    return reach


@pytest.fixture
def redis_data(tmp_path: Path):
    with redis_server(tmp_path) as server:
        yield {"url": server.url}


@pytest.fixture
def docker_data():
    return {"image": docker_image()}


@pytest.fixture
def shell_data() -> None:
    if not rungs.works(Rung.BUBBLEWRAP):
        pytest.skip("bubblewrap does not work here: programs are refused without it")


@pytest.mark.parametrize("name", NAMES)
async def test_the_example_runs_to_its_end(engine, registry, outside: Outside, request, name: str) -> None:
    data, asked = await outside()
    example = registry.example(name)
    assert engine.service.validate(example) == []
    if name in MACHINERY:
        data = request.getfixturevalue(MACHINERY[name])
    details, frames = await engine.run(example, data)
    assert details.run.status is RunStatus.SUCCEEDED, details
    assert [frame["title"] for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP"]
    assert bool(asked) == (name in RECORDED)


@pytest.mark.parametrize("name", NAMES)
async def test_simulating_the_example_has_no_effect(
    engine, registry, outside: Outside, root: Path, state, name: str
) -> None:
    if name in WAS_HERE_BEFORE:
        (root / WAS_HERE_BEFORE[name]).parent.mkdir(parents=True)
        (root / WAS_HERE_BEFORE[name]).write_text("Water the plants.\n")
    if name == "excel_read":
        await engine.run(registry.example(name))
    before = fingerprint(root)
    data, asked = await outside()
    details, _ = await engine.run(registry.example(name), data, RunMode.SIMULATE)
    assert details.run.status is RunStatus.SUCCEEDED, details
    assert fingerprint(root) == before
    for table in ("component_value", "component_effect", "component_seen"):
        assert state._store.archive.query(f"SELECT count(*) FROM {table}") == [(0,)]
    assert asked == []
