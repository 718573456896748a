"""The program of a locked child, started as the engine starts it, and its answers one by one."""

from __future__ import annotations

import json
import socket
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from core_engine.components.isolation import child, frames, rungs
from core_engine.components.isolation.child import Speaker
from core_engine.components.isolation.frames import FrameReader
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.lock import INTERPRETER_BYTES
from core_engine.components.isolation.rungs import Openings, Rung, Task

READY = {"kind": "ready"}
MEMORY = 64 * 1024 * 1024
SEEN = """
import atexit, os, resource, sys
def attempt(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "reached"
def streams():
    return [os.fstat(number).st_ino for number in (1, 2)]
sys.stdout.write("printed")
atexit.register(lambda: os.write(2, b"late"))
result = {
    "path": sys.path, "memory": resource.getrlimit(resource.RLIMIT_AS), "one": len(set(streams())) == 1,
    "file": attempt(lambda: open("/etc/passwd")), "fork": attempt(os.fork),
}
"""


def request(**more: Any) -> bytes:
    return frames.encode({"payload": {}, "args": {}, "seconds": 15, "memory_bytes": MEMORY, **more})


def run(command: list[str], given: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """Run a child; return the frames it wrote and what it printed."""
    done = subprocess.run(command, input=given, capture_output=True, env={}, cwd="/", timeout=60, check=True)
    return FrameReader(frames.MAX_FRAME_BYTES, json.loads).feed(done.stdout), done.stderr


def test_a_child_locks_itself_serves_one_request_and_ends() -> None:
    command = rungs.command(Rung.LANDLOCK, Task.FUNCTION)
    told, printed = run(command, request(code=SEEN) + request(code="result = 'another'"))
    assert [frame["kind"] for frame in told] == ["ready", "result"]
    seen = told[1]["value"]
    assert json.loads(command[-1])["root"] not in seen.pop("path")
    assert seen == {
        "memory": [INTERPRETER_BYTES + MEMORY] * 2, "one": True, "file": "PermissionError", "fork": "PermissionError"
    }  # fmt: skip
    assert printed == b"printed"


def test_one_that_is_asked_nothing_ends() -> None:
    command = rungs.command(Rung.LANDLOCK, Task.FUNCTION)
    for cut in (b"", request(code=SEEN)[:-1]):
        assert run(command, cut) == ([READY], b"")


@pytest.mark.parametrize(
    ("task", "asked", "told"),
    [
        (Task.QUERY, {"query": "n", "data": {"n": 3}}, {"kind": "result", "value": 3}),
        (
            Task.TEMPLATE,
            {
                "template": "{{ n | wordwrap }} {{ n | pprint }} {{ n | striptags }} {{ lipsum(1) | length > 9 }}"
            },
            {"kind": "result", "value": "a 'a' a True"},
        ),
        (
            Task.TEMPLATE,
            {"template": "{{ 1 / 0 }}"},
            {
                "kind": "error",
                "reason": "raised",
                "message": "the template: ZeroDivisionError: division by zero",
            },
        ),
    ],
)
def test_a_task_finds_its_packages_and_what_is_loaded_late(
    task: Task, asked: dict[str, Any], told: dict[str, Any]
) -> None:
    """Behind filters alone nothing can be loaded any more once the child is locked."""
    command = rungs.command(Rung.SECCOMP, task)
    assert run(command, request(values={"n": "a"}, **asked)) == ([READY, told], b"")


def test_one_with_a_door_asks_there_for_connections() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    opened = Openings(hosts=Hosts.read(["example.org"]))
    command = rungs.command(Rung.LANDLOCK, Task.FUNCTION, opened, theirs.fileno())
    code = "import socket\ntry: socket.create_connection(('example.org', 80))\nexcept OSError as e: result = str(e)"
    with ours, theirs:
        ours.send(b'{"error": "not today"}')
        done = subprocess.run(
            command, input=request(code=code), capture_output=True, env={}, cwd="/", timeout=60, check=True,
            pass_fds=(theirs.fileno(),),
        )  # fmt: skip
        assert json.loads(ours.recv(4096)) == {"host": "example.org", "port": 80}
    assert b"not today" in done.stdout


class Recorder(Speaker):
    """Keeps the frames that a child would write."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []

    def send(self, frame: dict[str, Any]) -> None:
        """Keep one."""
        self.frames.append(frame)


def a_task(run: Any, explain: Any = str, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(run=run, explain=explain, **more)


def fail(error: BaseException) -> Any:
    def run(*_: Any) -> None:
        raise error

    return run


def answer(asked: SimpleNamespace) -> dict[str, Any]:
    recorder = Recorder()
    child._answer(asked, {}, recorder)
    (frame,) = recorder.frames
    return frame


def test_what_is_logged_is_short() -> None:
    recorder = Recorder()
    recorder.log("x" * 5000, "y" * 30)
    recorder.log(2)
    told = [list(frame.values()) for frame in recorder.frames]
    assert told == [["log", "x" * 4000, "y" * 20], ["log", "2", "INFO"]]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (a_task(fail(MemoryError())), {"reason": "memory", "message": "it used more memory than allowed"}),
        (a_task(fail(SystemExit("so"))), {"reason": "raised", "message": "so"}),
        (a_task(fail(KeyError("x" * 5000)), lambda error: error.args[0]), {"reason": "raised", "message": "x" * 4000}),
        (a_task(fail(KeyError(1)), fail(ValueError())), {"reason": "raised", "message": "KeyError"}),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(asked: SimpleNamespace, told: dict[str, str]) -> None:
    assert answer(asked) == {"kind": "error", **told}


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), object()])
def test_a_result_that_is_not_json_is_told(value: object) -> None:
    frame = answer(a_task(lambda *_: value))
    assert (frame["kind"], frame["reason"]) == ("error", "not_json")
    assert frame["message"].startswith("the result is not JSON: ")


def test_a_result_may_be_as_large_as_the_task_says() -> None:
    most = 2 * 1024 * 1024 - 1
    text = "x" * (most - len(frames.encode("")))
    assert answer(a_task(lambda *_: text, MAX_VALUE_BYTES=most)) == {"kind": "result", "value": text}
    assert answer(a_task(lambda *_: f"{text}x", MAX_VALUE_BYTES=most)) == {
        "kind": "error", "reason": "too_large", "message": "the result has 2097152 bytes, the limit is 1 MiB"
    }  # fmt: skip
    assert answer(a_task(lambda *_: text))["message"] == "the result has 2097151 bytes, the limit is 1 MiB"
