from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import psutil
import pytest

from core_engine.components.isolation import frames, process
from core_engine.components.isolation.process import BoundedLog, ChildProcess
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.components.isolation.stand_in import SPEAKING, logged

NOTE = ("Further output of this step is not shown.", "WARN")


def collect() -> tuple[BoundedLog, list[tuple[str, str]]]:
    lines: list[tuple[str, str]] = []
    return BoundedLog(lambda message, level: lines.append((message, level))), lines


def test_printed_bytes_become_lines() -> None:
    log, lines = collect()
    log.feed(b"one\r\ntw")
    log.feed(b"o\n\n\xff end")
    log.finish()
    assert lines == [("one", "INFO"), ("two", "INFO"), ("� end", "INFO")]


def test_too_many_lines_end_with_one_note() -> None:
    log, lines = collect()
    told = [(str(number), "INFO") for number in range(500)]
    for text, _ in told:
        log.write(text, "INFO")
    assert lines == told
    for _ in range(3):
        log.write("more", "INFO")
    assert lines == [*told, NOTE]


def test_too_much_text_ends_with_one_note() -> None:
    log, lines = collect()
    for _ in range(16):
        log.write("x" * 4096, "INFO")
    log.write("", "INFO")
    assert lines == [*[("x" * 4096, "INFO")] * 16, ("", "INFO")]
    for text in ("y", "", ""):
        log.write(text, "INFO")
    assert lines[17:] == [NOTE]


def test_a_line_without_end_is_cut() -> None:
    log, lines = collect()
    log.feed(b"x" * 4096)
    assert lines == []
    log.feed(b"yz\n" + b"v" * 4097)
    log.feed(b"w" * 5000 + b"\nend\n")
    assert [text for text, _ in lines] == ["x" * 4096, "v" * 4096, "w" * 4096, "end"]


READY = f"{SPEAKING}send(kind='ready')\n"
ASKED = f"{READY}sys.stdin.read()\n"
DOOR = tuple[socket.socket, socket.socket]


async def start(code: str, door: DOOR | None = None) -> ChildProcess:
    return await ChildProcess.start([sys.executable, "-I", "-S", "-c", code], door)


async def ask(code: str, given: bytes = b"") -> tuple[object, list[tuple[str, str]]]:
    """Return what a child that was asked answers, and what it logged; it must end by itself."""
    child = await start(code)
    lines: list[tuple[str, str]] = []
    try:
        async with asyncio.timeout(60):
            return await child.ask(given, lambda *line: lines.append(line)), lines
    finally:
        await child.end()


async def there(path: Path) -> str:
    async with asyncio.timeout(60):
        while not (path.exists() and path.read_text()):  # noqa: ASYNC110 - a file of a child gives no event
            await asyncio.sleep(0.01)
    return path.read_text()


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_child_that_cannot_lock_itself_is_an_unavailable_sandbox_and_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said = "".join(f"{number:04}," for number in range(200))
    door = socket.socketpair()
    code = f"{SPEAKING}log('not yet'); sys.stderr.write({said!r}); sys.exit(3)"
    with pytest.raises(FloworkError, match="did not hold") as caught:
        await start(code, door)
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    assert [record.output for record in caplog.records if hasattr(record, "output")] == [said[-500:]]
    assert [end.fileno() for end in door] == [-1, -1]


async def test_a_program_that_does_not_exist_is_an_unavailable_sandbox() -> None:
    for door in (None, socket.socketpair()):
        with pytest.raises(FloworkError, match="No child process") as caught:
            await ChildProcess.start(["/nowhere/program"], door)
        assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
        assert [end.fileno() for end in door or ()] == [-1] * len(door or ())


async def test_a_child_that_is_not_ready_in_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START_SECONDS", 0.05)
    others = set(psutil.Process().children())
    with pytest.raises(FloworkError, match="did not start in time") as caught:
        await ChildProcess.start(["/bin/sleep", "100"])
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    assert not [child for child in set(psutil.Process().children()) - others if is_alive(child.pid)]


async def test_one_that_is_not_wanted_any_more_is_ended_when_it_is_locked(tmp_path: Path) -> None:
    """Before that bubblewrap's inner process could outlive its outer one."""
    up, go = tmp_path / "up", tmp_path / "go"
    code = f"{SPEAKING}note({str(up)!r})\n"
    code += f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
    code += "send(kind='ready'); time.sleep(100)"
    starting = asyncio.create_task(start(code))
    pid = int(await there(up))
    starting.cancel()
    await asyncio.wait([starting], timeout=0.2)
    assert not starting.done()
    assert is_alive(pid)
    go.touch()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not is_alive(pid)


async def test_one_that_is_not_wanted_any_more_and_cannot_be_started_is_waited_for_no_longer() -> None:
    starting = asyncio.create_task(ChildProcess.start(["/nowhere/program"]))
    await asyncio.sleep(0)
    starting.cancel()
    assert (await asyncio.wait([starting], timeout=10))[0]
    assert starting.cancelled()


async def test_a_child_gets_its_end_of_the_door_alone() -> None:
    ours, theirs = socket.socketpair()
    code = f"{ASKED}os.write({theirs.fileno()}, b'hello')\nsend(kind='result')"
    child = await start(code, (ours, theirs))
    assert child.door is ours
    assert theirs.fileno() == -1
    assert await child.ask(b"", lambda *_: None) == {"kind": "result"}
    assert ours.recv(100) == b"hello"
    assert ours.recv(100) == b""
    await child.end()
    assert ours.fileno() == -1


DEEP = MAX_DEPTH + 1


@pytest.mark.parametrize(
    "wrong",
    [
        "write(b'not json')", "write(b'[]')", "os.write(1, b'\\xff\\xff\\xff\\xff')", "write(b'[' * 100000)",
        "write(b'{\"kind\":\"result\",\"value\":NaN}')", "write(b'{\"kind\":\"result\",\"value\":\"\\\\ud800\"}')",
        "write(b'{\"kind\":\"result\",\"value\":1e999}')",
        f"write(b'{{\"kind\":\"result\",\"value\":' + b'[' * {DEEP} + b']' * {DEEP} + b'}}')",
    ],
)  # fmt: skip
async def test_an_answer_that_is_not_ours_is_an_error(wrong: str) -> None:
    answer, _ = await ask(f"{ASKED}{wrong}\n")
    assert isinstance(answer, dict)
    assert answer["reason"] == "protocol"
    assert answer["message"].startswith("it answered wrongly: ")
    assert ("not an object" in answer["message"]) == (wrong == "write(b'[]')")


async def test_the_request_is_handed_over_and_what_is_said_is_passed_on() -> None:
    code = f"""{READY}
given = sys.stdin.read()
send(kind='ready')
send(kind='something else', message='no')
log('one', level='WARN')
log('two', level='LOUD')
log('x' * 5000)
send(kind='result', value=given)
send(kind='result', value='another')
time.sleep(0.2)
os.write(2, b'last')
os.write(2, b' words')
"""
    answer, lines = await ask(code, b"given")
    assert answer == {"kind": "result", "value": "given"}
    assert lines == [("one", "WARN"), ("two", "INFO"), ("x" * 4096, "INFO"), ("last words", "INFO")]


async def test_a_child_that_ends_without_an_answer_is_noticed() -> None:
    child = await start(f"{ASKED}sys.exit(7)\n")
    assert child.usable
    assert child.exit_code() is None
    assert await child.ask(b"", lambda *_: None) is None
    await child.end()
    assert child.exit_code() == 7
    assert not child.usable


async def test_one_that_has_answered_is_not_asked_again_though_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(process, "_LAST_WORDS_SECONDS", 0.01)
    child = await start(f"{ASKED}send(kind='error'); time.sleep(100)")
    assert await child.ask(b"", lambda *_: None) == {"kind": "error"}
    assert child.exit_code() is None
    assert not child.usable
    await child.end()
    assert child.exit_code() == -signal.SIGKILL


async def test_one_that_is_to_be_wound_up_keeps_its_input_until_then() -> None:
    code = f"{READY}os.read(0, 5)\nos.write(2, b'up\\n')\nos.read(0, 1)\nsend(kind='result')"
    child, lines, up = await start(code), list[str](), asyncio.Event()
    asking = asyncio.create_task(
        child.ask(b"given", lambda text, _: (lines.append(text), up.set())[1], more=True)
    )
    async with asyncio.timeout(60):
        await up.wait()
        await asyncio.wait([asking], timeout=0.1)
        assert not asking.done()
        child.wind_up()
        assert await asking == {"kind": "result"}
    assert lines == ["up"]
    await child.end()


async def test_before_it_is_started_there_is_nothing_to_ask_or_to_end() -> None:
    child = ChildProcess()
    child.wind_up()
    await child.end()
    assert (child.pid, child.exit_code(), child.door) == (-1, None, None)
    with pytest.raises(FloworkError, match="has ended before it was asked") as caught:
        await child.ask(b"", lambda *_: None)
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE


async def test_what_it_prints_and_logs_before_it_is_asked_is_bounded() -> None:
    child = ChildProcess()
    child.pipe_data_received(1, frames.encode(logged("too early")))
    for _ in range(3):
        child.pipe_data_received(2, b"x" * (32 * 1024))
    assert child._early == b"x" * (64 * 1024)


async def test_a_child_is_killed() -> None:
    child = await start(f"{READY}time.sleep(100)")
    assert is_alive(child.pid)
    child.kill()
    async with asyncio.timeout(60):
        assert await child.ask(b"", lambda *_: None) is None
    assert child.exit_code() == -signal.SIGKILL
    child.kill()
    await child.end()


INNER = f"{SPEAKING}import subprocess\np = subprocess.Popen(['/bin/sleep', '100'])\nsend(kind='ready')\n"


async def test_what_it_started_is_killed_first_and_it_tidies_up_itself() -> None:
    child = await start(f"{INNER}send(kind='result', value=p.wait())")
    (inner,) = psutil.Process(child.pid).children()
    child.kill()
    async with asyncio.timeout(60):
        answer = await child.ask(b"", lambda *_: None)
    assert answer == {"kind": "result", "value": -signal.SIGKILL}
    assert not is_alive(inner.pid)
    await child.end()
    assert child.exit_code() == 0


async def test_one_that_does_not_tidy_up_is_killed_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_END_SECONDS", 0.1)
    child = await start(f"{INNER}time.sleep(100)")
    (inner,) = psutil.Process(child.pid).children()
    await child.end()
    assert not is_alive(child.pid)
    assert not is_alive(inner.pid)


async def test_who_keeps_its_pipes_does_not_keep_the_engines_ends_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "_END_SECONDS", 0.1)
    before = open_descriptors()
    code = f"""{READY}
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open({str(tmp_path / "keeper")!r}, "w").write(str(os.getpid()))
        time.sleep(100)
    os._exit(0)
os.wait()
time.sleep(100)
"""
    child = await start(code)
    keeper = int(await there(tmp_path / "keeper"))
    try:
        await child.end()
        assert not is_alive(child.pid)
        assert is_alive(keeper)
        async with asyncio.timeout(60):
            while open_descriptors() > before:  # noqa: ASYNC110 - the loop closes them next
                await asyncio.sleep(0.01)
    finally:
        os.kill(keeper, signal.SIGKILL)
