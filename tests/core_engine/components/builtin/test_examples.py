"""Every component's example runs in the real engine, and simulating it has no effect."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from aiohttp import web

from core_engine.components.isolation import rungs
from core_engine.components.isolation.rungs import Rung
from core_engine.components.registry import BUILTIN
from shared.contract.run import RunMode, RunStatus
from tests.support.docker import docker_image
from tests.support.redis import redis_server

NAMES = sorted(folder.name for folder in BUILTIN.iterdir() if (folder / "component.py").exists())
MACHINERY = {"redis_command": "redis_data", "docker_container": "docker_data", "shell_command": "shell_data"}
"""Fixtures that give the data of examples which need a server or program; they skip where it is missing."""
BOTH_BRANCHES = {"parse_lines"}


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
async def site():
    """A page for the HTTP example, and how often it was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="hello")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/", asked
    await runner.cleanup()


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
async def test_the_example_runs_to_its_end(engine, registry, site, request, name: str) -> None:
    url, asked = site
    example = registry.example(name)
    assert engine.service.validate(example) == []
    data = {"url": url} if name == "http_request" else None
    if name in MACHINERY:
        data = request.getfixturevalue(MACHINERY[name])
    details, frames = await engine.run(example, data)
    assert details.run.status is RunStatus.SUCCEEDED, details
    assert [frame["title"] for frame in frames if frame["type"] == "SHOW_DEBUG_POPUP"]
    assert asked == (["/"] if name == "http_request" else [])


@pytest.mark.parametrize("name", NAMES)
async def test_simulating_the_example_has_no_effect(engine, registry, site, root: Path, name: str) -> None:
    url, asked = site
    if name == "read_file":  # its first step, which writes the file it reads, is only simulated
        (root / "examples").mkdir()
        (root / "examples" / "hello.txt").write_text("was here before\n")
    before = fingerprint(root)
    data = {"url": url} if name == "http_request" else None
    details, _ = await engine.run(registry.example(name), data, RunMode.SIMULATE)
    assert details.run.status is RunStatus.SUCCEEDED, details
    assert fingerprint(root) == before
    assert asked == []
