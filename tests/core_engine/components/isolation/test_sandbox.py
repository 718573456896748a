"""Hostile code in the sandbox, on every rung this machine offers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvloop

from core_engine.components.isolation import frames, rungs
from core_engine.components.isolation.process import ChildProcess
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.isolation.spares import key_of
from shared.errors import ErrorCode, FloworkError

RUNGS = [rung for rung in (Rung.BUBBLEWRAP, Rung.LANDLOCK) if rungs.works(rung)]
HERE = str(Path(__file__).resolve())
TEMPLATE = (
    "{{ data.n | thousands }} {{ data.rows | sort | map('upper') | join(',') }} {{ {'n': 1} | tojson | e }}\n"
)
OPENERS = """
import os
def attempt(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return "reached"
result = {
    "open": attempt(lambda: open("/etc/passwd")),
    "create": attempt(lambda: open("/tmp/made", "w")),
    "list": attempt(lambda: os.listdir("/")),
    "link": attempt(lambda: os.readlink("/proc/self/exe")),
    "rename": attempt(lambda: os.rename("/tmp/a", "/tmp/b")),
    "remove": attempt(lambda: os.unlink("/etc/passwd")),
    "program": attempt(lambda: os.execv("/bin/sh", ["sh"])),
}
"""
PLAIN = key_of(Task.FUNCTION, Openings())
PROBES = (Path(__file__).parent / "probes.py").read_text()


@pytest.fixture(params=RUNGS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(seconds=20, memory_mb=512), rung=request.param, warm=False)
    yield made
    await made.close()


class Caller:
    """Runs code and keeps what it logged."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.logs: list[tuple[str, str]] = []

    async def run(
        self, code: str, data: Any = None, *, seconds: float = 15, memory_mb: int = 128, **args: Any
    ) -> Any:
        request = {"code": code, "payload": {"data": data, "history": []}, "args": args}
        return await self.sandbox.call(Task.FUNCTION, request, Bounds(seconds, memory_mb), self._log)

    async def fail(self, code: str, **options: Any) -> FloworkError:
        with pytest.raises(FloworkError) as caught:
            await self.run(code, **options)
        return caught.value

    def _log(self, message: str, level: str) -> None:
        self.logs.append((level, message))


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:
    return Caller(sandbox)


async def test_every_shape_of_code_gives_its_result(caller: Caller) -> None:
    assert await caller.run("result = payload['data'] + 1", 41) == 42
    assert await caller.run("def run(payload, log):\n return {'n': payload['data']}", 1) == {"n": 1}
    assert await caller.run("def run(payload): return 'alone'") == "alone"
    assert await caller.run("def run(data, out): return data['data']", "by position") == "by position"
    assert await caller.run("def run(payload, log, args): return args", who="me") == {"who": "me"}
    assert (
        await caller.run("import asyncio\nasync def run(payload):\n await asyncio.sleep(0)\n return 5") == 5
    )
    assert await caller.run("payload['data']['seen'] = True", {}) == {"data": {"seen": True}, "history": []}


async def test_logs_and_prints_reach_the_runs_log(caller: Caller) -> None:
    code = "import sys\nlog('one', 'WARN')\nlog(2, 'NONSENSE')\nprint('printed', flush=True)\n"
    code += "sys.stderr.write('no newline')"
    await caller.run(code)
    assert [line for line in caller.logs if line[1] in {"one", "2"}] == [("WARN", "one"), ("INFO", "2")]
    assert ("INFO", "printed") in caller.logs
    assert ("INFO", "no newline") in caller.logs


async def test_an_error_names_the_line_and_nothing_of_the_engine(caller: Caller) -> None:
    error = await caller.fail("x = 1\ndef run(payload):\n    return 1 / 0")
    assert error.code is ErrorCode.COMPONENT_FAILED
    assert error.message == "The code failed: line 3: ZeroDivisionError: division by zero."
    assert "line 2" in (await caller.fail("x = 1\nx = = 2")).message
    assert "SystemExit" in (await caller.fail("import sys\nsys.exit(0)")).message
    hostile = "class E(Exception):\n  def __str__(self): raise ValueError\nraise E"
    assert (await caller.fail(hostile)).message == "The code failed: E."


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("result = object()", "not_json"),
        ("result = float('nan')", "not_json"),
        ("result = 'x' * (2 << 20)", "too_large"),
        ("x = []\nfor _ in range(100_000): x = [x]\nresult = x", "not_json"),
        ("result = '\\ud800'", "protocol"),
        ("import os\nos._exit(0)", "ended"),
        ("import os\nos.kill(os.getpid(), 9)", "ended"),
        ("import ctypes\nctypes.string_at(0)", "ended"),
        (
            "import os, struct\nfor fd in range(3, 20):\n try: os.write(fd, b'\\xff' * 64)\n except OSError: pass",
            "protocol",
        ),
        ("result = 'x' * (10 << 30)", "memory"),
        ("x = []\nwhile True: x.append(bytes(1 << 20))", "memory"),
    ],
)
async def test_what_goes_wrong_is_told_apart(caller: Caller, code: str, reason: str) -> None:
    error = await caller.fail(code)
    assert error.code is ErrorCode.COMPONENT_FAILED
    assert error.details == {"reason": reason}
    assert await caller.run("result = 'still here'") == "still here"


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "while True: print('x' * 1000)",
        "while True: log('x' * 1000)",
        "import signal\nfor n in (1, 2, 15, signal.SIGXCPU): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
        "import os\nwhile True:\n try: os.fork()\n except OSError: pass",
    ],
)
async def test_code_that_does_not_end_is_ended_in_time_and_others_go_on(caller: Caller, code: str) -> None:
    started = time.monotonic()
    endless = asyncio.create_task(caller.fail(code, seconds=1.5))
    assert await caller.run("result = sum(range(1000))") == 499500
    error = await endless
    assert error.details == {"reason": "time"}
    assert time.monotonic() - started < 40  # the sleep alone takes 60
    assert len(caller.logs) <= 1002
    assert not children_of(os.getpid(), but=caller.sandbox)


async def test_a_fork_bomb_starts_nothing(caller: Caller) -> None:
    code = """
import os
count = 0
for _ in range(200):
    try:
        if os.fork() == 0:
            while True: pass
        count += 1
    except OSError: pass
result = count
"""
    assert await caller.run(code) == 0


async def test_the_escape_probes_all_fail(caller: Caller, tmp_path: Path) -> None:
    """What an engine on this machine has, a step must not reach: files, sockets, processes, the kernel's doors."""
    (tmp_path / "secret").write_text("secret")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as named,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as abstract,
    ):
        udp.bind(("127.0.0.1", 0))
        named.bind(str(tmp_path / "socket"))
        abstract.bind(f"\0flowork-test-{os.getpid()}")
        abstract.listen()
        surroundings = {
            "engine_pid": os.getpid(), "secret": str(tmp_path / "secret"), "folder": str(tmp_path),
            "tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1], "named": str(tmp_path / "socket"),
            "abstract": f"flowork-test-{os.getpid()}", "here": HERE,
        }  # fmt: skip
        verdicts = await caller.run(PROBES, surroundings)
        own = {"write temporary file"} if await caller.sandbox.rung() is Rung.BUBBLEWRAP else set()
        assert {name for name, verdict in verdicts.items() if verdict != "refused"} == own
        assert len(verdicts) > 45
        for quiet in (udp, named, tcp, abstract):
            quiet.setblocking(False)
        for datagrams in (udp, named):
            with pytest.raises(BlockingIOError):
                datagrams.recv(1)
        for listener in (tcp, abstract):
            with pytest.raises(BlockingIOError):
                listener.accept()
    assert sorted(os.listdir(tmp_path)) == ["secret", "socket"]  # noqa: PTH208 - one look, after the fact


def test_the_probes_would_succeed_without_walls(tmp_path: Path) -> None:
    """Shows that the probes above are real: outside the sandbox most of them get through."""
    (tmp_path / "secret").write_text("secret")
    code = (
        "import json, sys\n"
        f"payload = json.loads(sys.argv[1])\n{PROBES}\n"
        "print(json.dumps(result), flush=True)\nimport os\nos._exit(0)"
    )
    surroundings = {
        "engine_pid": os.getpid(), "secret": str(tmp_path / "secret"), "folder": str(tmp_path), "harmless": True,
        "tcp": 1, "udp": 9, "named": "/none", "abstract": "none", "here": HERE,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps({"data": surroundings})],
        capture_output=True, text=True, check=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    verdicts = json.loads(done.stdout)
    opened = {name for name, verdict in verdicts.items() if verdict == "OPEN"}
    assert {
        "read secret",
        "list folder",
        "write file",
        "fork",
        "exec",
        "thread",
        "signal engine",
        "udp",
    } <= opened
    assert {"environment of the engine", "socket", "datagram pair", "memfd", "shared memory"} <= opened


async def test_nothing_of_the_engines_environment_is_seen(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWORK_ENGINE_TOKEN", "dev_engine_secret")
    seen = await caller.run("import os, sys\nresult = [dict(os.environ), sys.argv, sys.path, os.getcwd()]")
    assert "dev_engine_secret" not in json.dumps(seen)
    assert set(seen[0]) <= {"LC_CTYPE", "PWD"}


async def test_a_stopped_run_ends_its_child(caller: Caller) -> None:
    task = asyncio.create_task(caller.run("log('started')\nimport time\ntime.sleep(60)"))
    while not caller.logs:  # noqa: ASYNC110 - the log is the event
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not children_of(os.getpid(), but=caller.sandbox)


async def test_a_run_stopped_while_its_child_starts_leaves_nothing(sandbox: Sandbox) -> None:
    before = set(psutil.pids())
    for wait in (0.0, 0.002, 0.01, 0.02, 0.04):
        fresh = Sandbox(most=sandbox.most, rung=await sandbox.rung())
        task = asyncio.create_task(Caller(fresh).run("import time\ntime.sleep(60)"))
        await asyncio.sleep(wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await fresh.close()
    async with asyncio.timeout(
        10
    ):  # the kernel may take a moment to bury what was killed; a leak would stay 60 s
        while leftovers(before):  # noqa: ASYNC110 - processes of others give no event
            await asyncio.sleep(0.02)


async def test_children_and_descriptors_do_not_pile_up(caller: Caller) -> None:
    caller.sandbox._keep_warm = True
    await caller.run("result = 1")
    before = open_descriptors()
    for number in range(8):
        assert await caller.run("result = payload['data']", number) == number
    await caller.sandbox.close()
    assert open_descriptors() <= before + 4
    assert not children_of(os.getpid(), but=caller.sandbox)


async def test_a_spare_child_makes_the_next_call_quick(caller: Caller) -> None:
    caller.sandbox._keep_warm = True
    await caller.run("result = 1")
    await asyncio.gather(*caller.sandbox._refills.values())
    spare = caller.sandbox._spares._plain[PLAIN]
    assert await caller.run("result = 2") == 2
    assert not spare.usable


async def test_a_dead_spare_is_replaced(caller: Caller) -> None:
    caller.sandbox._keep_warm = True
    await caller.run("result = 1")
    await asyncio.gather(*caller.sandbox._refills.values())
    await caller.sandbox._spares._plain[PLAIN].end()
    assert await caller.run("result = 2") == 2


async def test_no_request_gets_more_than_the_engine_allows(caller: Caller) -> None:
    error = await caller.fail("result = len('x' * (700 << 20))", memory_mb=100_000)
    assert error.details == {"reason": "memory"}
    assert "512 MiB" in error.message


async def test_an_input_that_is_too_large_is_refused(caller: Caller) -> None:
    error = await caller.fail("result = 1", data="x" * (9 << 20))
    assert error.code is ErrorCode.TOO_LARGE


async def test_after_closing_nothing_is_run(caller: Caller) -> None:
    await caller.sandbox.close()
    assert (await caller.fail("result = 1")).code is ErrorCode.ENGINE_UNAVAILABLE


async def test_without_walls_nothing_is_run() -> None:
    bare = Sandbox(most=Bounds(10, 64), rung=Rung.NONE)
    assert (await Caller(bare).fail("result = 1")).code is ErrorCode.SANDBOX_UNAVAILABLE


async def test_behind_filters_alone_templates_and_queries_run_and_programs_do_not() -> None:
    weak = Sandbox(most=Bounds(20, 256), rung=Rung.SECCOMP)
    silent = lambda *_: None  # noqa: E731
    request = {"template": TEMPLATE, "values": {"data": {"n": 12345, "rows": ["b", "a"]}}}
    assert await weak.call(Task.TEMPLATE, request, Bounds(15, 128), silent) == '12,345 A,B {"n": 1}\n'
    request = {"query": "sort(data)[0]", "data": {"data": [3, 1]}}
    assert await weak.call(Task.QUERY, request, Bounds(15, 128), silent) == 1
    assert (await Caller(weak).fail("result = 1")).code is ErrorCode.SANDBOX_UNAVAILABLE
    await weak.close()


async def test_behind_filters_alone_no_file_can_be_reached() -> None:
    """The task is one that would be refused there; it shows what a hole in a template's language could reach."""
    sandbox = Sandbox(most=Bounds(20, 128))
    child = await ChildProcess.start(rungs.command(Rung.SECCOMP, Task.FUNCTION))
    request = {"code": OPENERS, "payload": {}, "args": {}, "seconds": 15, "memory_bytes": 1 << 27}
    answer = await child.ask(frames.encode(request), lambda *_: None)
    await child.end()
    await sandbox.close()
    assert answer is not None
    assert set(answer["value"].values()) == {"PermissionError"}, answer


async def test_the_rung_is_found_at_the_first_use() -> None:
    fresh = Sandbox(most=Bounds(10, 64))
    assert await Caller(fresh).run("result = 1") == 1
    assert (await fresh.rung()) is RUNGS[0]
    await fresh.close()


@pytest.mark.parametrize("rung", RUNGS)
def test_it_works_on_the_engines_own_event_loop(rung: Rung) -> None:
    async def work() -> None:
        sandbox = Sandbox(most=Bounds(seconds=20, memory_mb=128), rung=rung)
        caller = Caller(sandbox)
        assert await caller.run("print('printed')\nresult = payload['data']", 7) == 7
        assert ("INFO", "printed") in caller.logs
        assert (await caller.fail("while True: pass", seconds=0.5)).details == {"reason": "time"}
        assert (await caller.fail("import os\nos._exit(1)")).details == {"reason": "ended"}
        await sandbox.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


ENGINE = """
import asyncio, sys
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.isolation.rungs import Rung, Task
async def main():
    sandbox = Sandbox(most=Bounds(100, 64), rung=Rung(sys.argv[1]))
    code = "log('up')\\nimport signal, time\\ntime.sleep(100)"
    request = {"code": code, "payload": {}, "args": {}}
    await sandbox.call(Task.FUNCTION, request, Bounds(100, 64), lambda message, level: print(message, flush=True))
asyncio.run(main())
"""


@pytest.mark.parametrize("rung", RUNGS)
def test_an_engine_that_is_killed_leaves_no_child_behind(rung: Rung) -> None:
    with subprocess.Popen([sys.executable, "-c", ENGINE, rung.value], stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        assert b"up\n" in iter(engine.stdout.readline, b"")
        family = psutil.Process(engine.pid).children(recursive=True)
        assert family
        engine.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []


def leftovers(before: set[int]) -> list[str]:
    """Return new processes anywhere that run a child of ours with this test's descriptors open."""
    mine = {entry.stat().st_ino for entry in Path("/proc/self/fd").iterdir() if entry.exists()}
    found = []
    for pid in set(psutil.pids()) - before:
        try:
            pipes = {entry.stat().st_ino for entry in Path(f"/proc/{pid}/fd").iterdir()}
            line = Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            continue
        if "child.py" in line and pipes & mine:
            found.append(line)
    return found


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def children_of(pid: int, *, but: Sandbox) -> list[psutil.Process]:
    """Return the sandbox's live children that are not its spares."""
    spares = {child._transport.get_pid() for child in but._spares._plain.values() if child._transport}
    return [
        child
        for child in psutil.Process(pid).children()
        if child.pid not in spares
        and child.status() != psutil.STATUS_ZOMBIE
        and "child.py" in " ".join(child.cmdline())
        and not but._refills
    ]
