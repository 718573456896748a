"""What the engine does around a child: limits, slots, spares, the end. Its child is a real process without walls."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from core_engine.components.isolation import egress, frames, proxy, rungs, watch
from core_engine.components.isolation import sandbox as module
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.numbers import ProcessLimit
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.isolation.tasks.program import GRACE_SECONDS
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.components.isolation import stand_in
from tests.core_engine.components.isolation.stand_in import ECHO, ENDLESS

MOST = Bounds(60, 512)


class Started:
    """The rungs and doors that children were started for."""

    def __init__(self) -> None:
        self.children: list[tuple[Rung, Task, Openings, int | None]] = []

    def command(self, rung: Rung, task: Task, openings: Openings, door: int | None = None) -> list[str]:
        """Stand in for `rungs.command`."""
        self.children.append((rung, task, openings, door))
        return stand_in.command(inner=task is Task.PROGRAM, door=door)


class Log:
    """What a call logs, and an event for its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.more = asyncio.Event()

    def __call__(self, message: str, level: str) -> None:
        self.lines.append((message, level))
        self.more.set()

    async def wait_for(self, text: str, count: int = 1) -> None:
        async with asyncio.timeout(60):
            while [line for line, _ in self.lines].count(text) < count:
                self.more.clear()
                await self.more.wait()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    noted = Started()
    monkeypatch.setattr(rungs, "command", noted.command)
    monkeypatch.setattr(watch.ProcessLimit, "around", lambda _pid: ProcessLimit(None))
    return noted


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """Each test leaves no child of its own, no task, and no failure that nobody asked for."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = set(psutil.Process().children())
    yield
    assert not living(before)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not complaints


def living(before: set[psutil.Process]) -> list[psutil.Process]:
    """Return new children of this process, and theirs, that have not ended; a database may start some of its own."""
    found = []
    for child in set(psutil.Process().children()) - before:
        with suppress(psutil.NoSuchProcess):
            found += [each for each in (child, *child.children(recursive=True)) if is_alive(each)]
    return found


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def call(
    sandbox: Sandbox,
    code: str,
    log: Log | None = None,
    *,
    seconds: float = 60,
    memory_mb: int = 64,
    **more: Any,
) -> Any:
    """Have a child run code; ``task`` and ``hosts`` may be given."""
    request = {"code": code, **more.pop("request", {})}
    openings = Openings(hosts=Hosts.read(more.get("hosts", [])))
    bounds = Bounds(seconds, memory_mb)
    async with asyncio.timeout(30):
        return await sandbox.call(more.get("task", Task.FUNCTION), request, bounds, log or Log(), openings)


async def fail(sandbox: Sandbox, code: str, **more: Any) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await call(sandbox, code, **more)
    return caught.value


async def stop(step: asyncio.Task[Any]) -> None:
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step


def cold(rung: Rung | None = Rung.BUBBLEWRAP, **more: Any) -> Sandbox:
    return Sandbox(most=MOST, rung=rung, warm=False, **more)


async def test_a_call_gets_what_it_asks_for_up_to_what_is_allowed(started: Started) -> None:
    limits = {"seconds": 2 + GRACE_SECONDS, "memory_bytes": 64 * 1024 * 1024}
    seen = await call(cold(), ECHO, seconds=2, memory_mb=64, request={"n": 1, "seconds": 99})
    assert seen == {"code": ECHO, "n": 1, **limits}
    narrow = Sandbox(most=Bounds(2, 64), rung=Rung.LANDLOCK, warm=False)
    assert narrow.most == Bounds(2, 64)
    assert await call(narrow, ECHO, seconds=3, memory_mb=65) == {"code": ECHO, **limits}
    assert [rung for rung, *_ in started.children] == [Rung.BUBBLEWRAP, Rung.LANDLOCK]


async def test_code_of_others_says_how_it_is_isolated(started: Started) -> None:
    for task, told in {Task.FUNCTION: True, Task.QUERY: False}.items():
        log = Log()
        assert await call(cold(), "log('one'); send(kind='result', value=2)", log, task=task) == 2
        assert log.lines == [*[("Isolation: bubblewrap.", "DEBUG")] * told, ("one", "INFO")]
    assert [task for _, task, *_ in started.children] == [Task.FUNCTION, Task.QUERY]


async def test_four_run_at_a_time_and_the_others_wait(started: Started, tmp_path: Path) -> None:
    sandbox, log, go = Sandbox(most=MOST, rung=Rung.LANDLOCK, warm=False), Log(), tmp_path / "go"
    code = f"log('up')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\n{ECHO}"
    calls = [asyncio.create_task(call(sandbox, code, log)) for _ in range(6)]
    await log.wait_for("up", 4)
    assert len(started.children) == 4
    go.touch()
    await asyncio.gather(*calls)
    assert len(started.children) == 6


async def test_one_that_waits_too_long_is_told_when_to_come_again(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.05)
    sandbox, log = cold(max_children=1), Log()
    first = asyncio.create_task(call(sandbox, ENDLESS, log))
    await log.wait_for("up")
    error = await fail(sandbox, ECHO)
    assert (error.code, error.retry_after) == (ErrorCode.RATE_LIMITED, 5)
    await stop(first)
    assert (await call(sandbox, ECHO))["code"] == ECHO
    assert len(started.children) == 2


async def test_the_rung_is_looked_for_once_and_only_where_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[int] = []
    monkeypatch.setattr(rungs, "detect", lambda: (looks.append(1), Rung.LANDLOCK)[1])
    sandbox = cold(None)
    assert [await sandbox.rung() for _ in range(2)] == [Rung.LANDLOCK] * 2
    assert await cold().rung(Task.PROGRAM) is Rung.BUBBLEWRAP
    assert len(looks) == 1


@pytest.mark.parametrize(
    ("task", "rung", "told"),
    [
        (Task.PROGRAM, Rung.LANDLOCK, "no working bubblewrap, so programs are not run here;"),
        (Task.FUNCTION, Rung.SECCOMP, "neither bubblewrap nor Landlock, so code of others is not run here;"),
    ],
)
async def test_where_the_rung_is_too_weak_it_says_so_and_keeps_nothing_warm(
    started: Started, task: Task, rung: Rung, told: str
) -> None:
    sandbox = Sandbox(most=MOST, rung=rung)
    error = await fail(sandbox, ECHO, task=task)
    assert error.code is ErrorCode.SANDBOX_UNAVAILABLE
    assert error.message.startswith(f"This machine offers {told}")
    assert not sandbox._refills
    assert started.children == []


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        ("os._exit(0)", "ended", "it ended without a result"),
        ("os.kill(os.getpid(), 9)", "ended", "it was ended by signal 9"),
        ("send(kind='error', reason='raised', message='so')", "raised", "so"),
        ("send(kind='error', reason='memory', message='so')", "memory", "so (64 MiB)"),
    ],
)
async def test_what_went_wrong_is_told(started: Started, code: str, reason: str, told: str) -> None:
    error = await fail(cold(), code)
    assert error.code is ErrorCode.COMPONENT_FAILED
    assert (error.message, error.details) == (f"The code failed: {told}.", {"reason": reason})


@pytest.mark.parametrize(
    ("code", "signal"), [(-1, 1), (-9, 9), (129, 1), (137, 9), (None, 0), (0, 0), (1, 0), (128, 0)]
)
def test_an_obituary_names_the_signal(code: int | None, signal: int) -> None:
    told = f"it was ended by signal {signal}" if signal else "it ended without a result"
    assert module._obituary(code) == told


async def test_an_input_is_refused_before_a_child_is_started(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await fail(cold(), ECHO, request={"n": object()})).details == {"reason": "not_json"}
    room = frames.MAX_REQUEST_BYTES - len(module._encode({"text": ""}, MOST))
    assert len(module._encode({"text": "x" * room}, MOST)) == 8 * 1024 * 1024
    with pytest.raises(
        FloworkError, match="has 8388609 bytes; an isolated step takes at most 8 MiB"
    ) as caught:
        module._encode({"text": "x" * (room + 1)}, MOST)
    assert caught.value.code is ErrorCode.TOO_LARGE
    monkeypatch.setattr(frames, "MAX_REQUEST_BYTES", 2 * 1024 * 1024 - 1)
    with pytest.raises(FloworkError, match="takes at most 1 MiB"):
        module._encode({"text": "x" * (2 * 1024 * 1024)}, MOST)
    assert started.children == []


async def test_one_that_is_late_is_ended(started: Started) -> None:
    before = set(psutil.Process().children())
    error = await fail(cold(), ENDLESS, seconds=0.2)
    assert error.message == "The code failed: it ran longer than 0.2 s and was ended."
    assert error.details == {"reason": "time"}
    assert not living(before)


async def test_the_input_of_code_is_closed_behind_its_request(started: Started) -> None:
    assert await call(cold(), "sys.stdin.read()\nsend(kind='result', value=1)", seconds=5) == 1


async def test_a_program_is_told_that_it_is_late_and_may_answer(started: Started) -> None:
    code = "sys.stdin.read()\nsend(kind='result', value={'stdout': 'bye'})"
    error = await fail(cold(), code, seconds=0.2, task=Task.PROGRAM)
    assert error.message == "The code failed: it ran longer than 0.2 s and was ended."
    assert error.details == {"reason": "time", "stdout": "bye"}
    assert await call(cold(), ECHO.replace("request", "3"), task=Task.PROGRAM) == 3


async def test_a_program_that_uses_too_much_memory_is_ended(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds: list[int] = []

    class Noted(watch.Watch):
        def __init__(self, child: Any, memory_mb: int, *more: Any) -> None:
            bounds.append(memory_mb)
            super().__init__(child, memory_mb, *more)

    monkeypatch.setattr(module, "Watch", Noted)
    error = await fail(cold(), ENDLESS, memory_mb=1, task=Task.PROGRAM)
    assert error.message == "The code failed: its processes used more than 1 MiB together."
    assert error.details == {"reason": "memory"}
    assert (await call(cold(), ECHO, task=Task.PROGRAM, hosts=["localhost"]))["code"] == ECHO
    assert bounds == [1, 64 + proxy.MEMORY_MB]


async def test_a_stopped_program_may_end_by_itself_and_logs_no_more(
    started: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 60)
    sandbox, log = cold(), Log()
    code = f"log('up')\nsys.stdin.read()\nlog('late')\nnote({str(tmp_path / 'ended')!r})"
    step = asyncio.create_task(call(sandbox, code, log, task=Task.PROGRAM))
    await log.wait_for("up")
    assert sandbox._left
    await stop(step)
    assert (tmp_path / "ended").exists()
    assert log.lines[-1] == ("up", "INFO")
    assert not sandbox._left


async def test_where_nobody_waits_for_the_end_either_a_stopped_program_ends_all_the_same(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 60)
    sandbox, log = cold(), Log()
    step = asyncio.create_task(call(sandbox, "log('up')\nsys.stdin.read()", log, task=Task.PROGRAM))
    await log.wait_for("up")
    step.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await stop(step)
    await asyncio.wait(sandbox._left, timeout=30)
    assert not sandbox._left
    del step
    gc.collect()  # nobody complains that nobody asked for its failure


async def test_a_stopped_program_that_does_not_listen_is_killed(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.05)
    before, sandbox, log = set(psutil.Process().children()), cold(), Log()
    step = asyncio.create_task(call(sandbox, ENDLESS, log, task=Task.PROGRAM))
    await log.wait_for("up")
    await stop(step)
    assert not living(before)
    assert not sandbox._left


async def test_closing_ends_a_program_and_refuses_what_comes_later(started: Started) -> None:
    before, sandbox, log = set(psutil.Process().children()), Sandbox(most=MOST, rung=Rung.BUBBLEWRAP), Log()
    step = asyncio.create_task(call(sandbox, ENDLESS, log, task=Task.PROGRAM))
    await log.wait_for("up")
    async with asyncio.timeout(30):
        await sandbox.close()
    assert not living(before)
    with pytest.raises(asyncio.CancelledError):
        await step
    assert (await fail(sandbox, ECHO)).code is ErrorCode.ENGINE_UNAVAILABLE
    assert not sandbox._refills


async def test_a_spare_is_kept_for_the_next_call_and_ended_when_it_is_closed(started: Started) -> None:
    before, sandbox = set(psutil.Process().children()), Sandbox(most=MOST, rung=Rung.LANDLOCK)
    for number in (1, 2):
        await call(sandbox, ECHO)
        assert len(sandbox._refills) == 1
        await asyncio.gather(*sandbox._refills.values())
        assert not sandbox._refills
        sandbox._refill(Task.FUNCTION, Openings())  # there is one
        assert len(started.children) == number + 1
    assert len(living(before)) == 1
    await sandbox.close()
    assert not living(before)


async def test_few_spares_are_started_at_a_time_and_closing_waits_for_them(started: Started) -> None:
    before, sandbox = set(psutil.Process().children()), Sandbox(most=MOST, rung=Rung.LANDLOCK)
    for number in [*range(10), 0]:
        sandbox._refill(Task.FUNCTION, Openings(readable=(f"/nowhere/{number}",)))
    assert len(sandbox._refills) == 8
    async with asyncio.timeout(60):
        while len(started.children) < 8:  # noqa: ASYNC110 - they are started in the next rounds of the loop
            await asyncio.sleep(0)
    await sandbox.close()
    assert not living(before)


@pytest.mark.parametrize("sandbox", [lambda: cold(Rung.LANDLOCK), lambda: Sandbox(most=MOST)])
async def test_no_spare_is_started_where_none_is_wanted_or_no_rung_is_known(
    started: Started, sandbox: Callable[[], Sandbox]
) -> None:
    made = sandbox()
    made._refill(Task.FUNCTION, Openings())
    assert not made._refills


async def test_the_way_out_is_open_as_long_as_the_call_runs(started: Started) -> None:
    code = "import socket\nasking = socket.socket(fileno=door)\nasking.send(b'{}')\n"
    code += "send(kind='result', value=json.loads(asking.recv(4096)))"
    before = set(psutil.Process().children())
    seen = await call(cold(), code, hosts=["example.org"])
    assert "not understood" in seen["error"]
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not living(before)
    assert await call(cold(), "send(kind='result', value=door)") is None


async def test_the_way_out_of_one_that_is_late_is_closed_first(started: Started) -> None:
    assert (await fail(cold(), ENDLESS, seconds=0.2, hosts=["example.org"])).details == {"reason": "time"}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_way_out_that_breaks_is_told_and_the_call_goes_on(
    started: Started, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(egress.Egress, "serve", serve)
    assert (await call(cold(), ECHO, hosts=["example.org"]))["code"] == ECHO
    assert [record.message for record in caplog.records] == ["the way out of an isolated child broke"]
