"""A person's Python in a container of a real Docker engine, with an image that has Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import ImageNotFound
from pydantic import ValidationError

from core_engine.components.builtin.docker_container.job import LABEL
from core_engine.components.builtin.function_runner_module.component import FunctionConfig, FunctionRunner
from core_engine.components.builtin.function_runner_module.container import furnished
from core_engine.components.isolation.rungs import Rung
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.switches import Switches
from core_engine.kernel.payload import Payload
from shared.errors import ErrorCode, FloworkError
from tests.support.docker import docker_image

IMAGE = "python:3.11-slim"


def runner(*, docker_containers: bool = True) -> FunctionRunner:
    sandbox = Sandbox(most=Bounds(60, 512), rung=Rung.NONE)  # nothing may run on the machine itself
    return FunctionRunner(sandbox, Switches(docker_containers=docker_containers))


@pytest.fixture
def call(step, request: pytest.FixtureRequest):
    """``await call(code)`` returns the step's result."""
    docker_image()  # skips where no engine answers
    step.idempotency_key = request.node.name
    client = docker.from_env(timeout=60)
    try:
        client.images.get(IMAGE)
    except ImageNotFound:
        pytest.skip(f"the image {IMAGE} is not on this machine")
    finally:
        client.close()

    async def run(code: str, **settings: Any) -> Any:
        given = {"timeout_seconds": 60, "python_code": code, "isolation": "docker", **settings}
        config = FunctionConfig.model_validate(given)
        return await runner().execute(step, config, Payload({"n": 1}, ["h"]))

    return run


def left(key: str) -> list[Any]:
    client = docker.from_env(timeout=60)
    try:
        return client.containers.list(all=True, filters={"label": f"{LABEL}={key}"})
    finally:
        client.close()


async def test_code_gets_the_data_and_gives_a_result_and_nothing_is_left(call, step) -> None:
    code = (
        "def run(payload, log):\n"
        "    print('printed')\n"
        "    log('from the code', 'SUCCESS')\n"
        "    return {'data': {'n': payload['data']['n'] + 1, 'who': args['who']}}\n"
    )
    result = await call(code, args=[{"name": "who", "value": "me"}])
    assert result.outputs == {"success": Payload({"n": 2, "who": "me"}, ["h"])}
    assert {("SUCCESS", "from the code"), ("INFO", "printed"), ("DEBUG", "Isolation: docker.")} <= set(
        step.logs
    )
    assert not any("value" in text for _, text in step.logs), "the answer is no line of the log"
    assert left(step.idempotency_key) == []


async def test_it_has_no_network_no_rights_and_writes_nowhere(call) -> None:
    code = (
        "import os, socket\n"
        "found = {'cards': sorted(os.listdir('/sys/class/net'))}\n"
        "for name, try_it in {'write': lambda: open('/x', 'w'), 'beside': lambda: open('/flowork/x', 'w'),\n"
        "                     'net': lambda: socket.create_connection(('1.1.1.1', 53), 2)}.items():\n"
        "    try:\n        try_it()\n        found[name] = True\n"
        "    except OSError:\n        found[name] = False\n"
        "result = {'data': found}\n"
    )
    found = (await call(code)).outputs["success"].data
    assert found == {"cards": found["cards"], "write": False, "beside": False, "net": False}
    assert "eth0" not in found["cards"]


async def test_folders_are_mapped_in_and_out(call, root: Path) -> None:
    (root / "in").mkdir()
    (root / "in" / "a").write_text("content")
    (root / "in").chmod(0o777)
    path = root / "in"
    copy = f"open('{path}/b', 'w').write(open('{path}/a').read())\nresult = 1"
    with pytest.raises(FloworkError, match="Read-only"):
        await call(copy, folder_access="read", folders=["in"])
    await call(copy, folder_access="write", folders=["in"])
    assert (root / "in" / "b").read_text() == "content"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("raise ValueError('no')", "line 1: ValueError: no"),
        ("import os; os._exit(3)", "without a result"),
        ("result = object()", "not JSON serializable"),
        ("import os; os.write(1, b'x'); os._exit(0)", "without a result"),
    ],
)
async def test_code_that_fails_says_why(call, code: str, text: str) -> None:
    with pytest.raises(FloworkError) as caught:
        await call(code)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert text in caught.value.message


async def test_one_that_does_not_end_is_killed(call, step) -> None:
    with pytest.raises(FloworkError, match="longer than 3 s"):
        await call("while True: pass", timeout_seconds=3)
    assert left(step.idempotency_key) == []


async def test_it_needs_the_owner_and_an_engine(
    step, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FunctionConfig(python_code="result = 1", isolation="docker")
    with pytest.raises(FloworkError) as off:
        await runner(docker_containers=False).execute(step, config, Payload())
    assert off.value.code is ErrorCode.FORBIDDEN
    values = {"isolation": "docker"}
    assert "ENGINE_DOCKER_CONTAINERS" in (runner(docker_containers=False).unready(values) or "")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert "No Docker engine answers" in (runner().unready(values) or "")
    assert runner().unready({}) is None
    with pytest.raises(FloworkError) as absent:
        await runner().execute(step, config, Payload())
    assert absent.value.code is ErrorCode.SANDBOX_UNAVAILABLE


def test_no_host_can_be_opened_to_it() -> None:
    with pytest.raises(ValidationError, match="no hosts can be opened"):
        FunctionConfig(isolation="docker", hosts=["api.example.org"])


def test_nobody_else_on_the_machine_reads_the_data_and_any_user_of_the_container_does() -> None:
    with furnished({"payload": "private"}) as folder:
        names = {path.name for path in folder.iterdir()}
        assert names == {"request.json", "function.py", "container_main.py"}
        assert folder.stat().st_mode & 0o777 == 0o755
        assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir())
        assert folder.parent.stat().st_mode & 0o077 == 0
    assert not folder.parent.exists()
