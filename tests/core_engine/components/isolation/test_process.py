from __future__ import annotations

import sys

import pytest

from core_engine.components.isolation.process import MAX_LOG_BYTES, MAX_LOG_LINES, BoundedLog, ChildProcess
from shared.errors import ErrorCode, FloworkError


def collect() -> tuple[BoundedLog, list[tuple[str, str]]]:
    lines: list[tuple[str, str]] = []
    return BoundedLog(lambda message, level: lines.append((message, level))), lines


def test_printed_bytes_become_lines() -> None:
    log, lines = collect()
    log.feed(b"one\r\ntw")
    log.feed(b"o\n\n\xff end")
    log.finish()
    assert [text for text, _ in lines] == ["one", "two", "� end"]


def test_too_many_lines_end_with_one_note() -> None:
    log, lines = collect()
    for number in range(MAX_LOG_LINES + 100):
        log.write(str(number), "INFO")
    assert len(lines) == MAX_LOG_LINES + 1
    assert lines[-1] == ("Further output of this step is not shown.", "WARN")


def test_too_much_text_ends_with_one_note_and_a_line_without_end_is_cut() -> None:
    log, lines = collect()
    for _ in range(100):
        log.feed(b"x" * 5000)
    log.finish()
    assert lines[-1][1] == "WARN"
    assert sum(len(text) for text, _ in lines) <= MAX_LOG_BYTES + 100
    assert max(len(text) for text, _ in lines) <= 4096


async def start(code: str) -> ChildProcess:
    return await ChildProcess.start([sys.executable, "-c", code])


async def test_a_child_that_ends_before_it_is_locked_is_an_unavailable_sandbox() -> None:
    with pytest.raises(FloworkError) as caught:
        await start("import sys; sys.exit(3)")
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE


async def test_a_program_that_does_not_exist_is_an_unavailable_sandbox() -> None:
    with pytest.raises(FloworkError) as caught:
        await ChildProcess.start(["/nowhere/program"])
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE


FRAME = "import struct,sys,os\ndef send(b): os.write(1, struct.pack('>I', len(b)) + b)\nsend(b'{\"kind\":\"ready\"}')\n"


@pytest.mark.parametrize(
    "wrong",
    [
        "send(b'not json')", "send(b'[]')", "os.write(1, b'\\xff\\xff\\xff\\xff')", "send(b'[' * 100000)",
        "send(b'{\"kind\":\"result\",\"value\":NaN}')", "send(b'{\"kind\":\"result\",\"value\":\"\\\\ud800\"}')",
        "send(b'{\"kind\":\"result\",\"value\":1e999}')",
    ],
)  # fmt: skip
async def test_an_answer_that_is_not_ours_is_an_error(wrong: str) -> None:
    child = await start(f"{FRAME}sys.stdin.read()\n{wrong}\n")
    answer = await child.ask(b"", lambda *_: None)
    await child.end()
    assert answer is not None
    assert answer["reason"] == "protocol"


async def test_a_child_that_ends_without_an_answer_is_noticed() -> None:
    child = await start(f"{FRAME}sys.stdin.read()\nsys.exit(7)\n")
    assert child.usable
    assert await child.ask(b"", lambda *_: None) is None
    await child.end()
    assert child.exit_code() == 7
    assert not child.usable
