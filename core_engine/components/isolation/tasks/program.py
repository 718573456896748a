"""Runs a program or a shell's command line, ends it politely, and keeps a bounded part of what it prints."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

MAX_VALUE_BYTES = 3 * 1024 * 1024
"""Most JSON of a result: both streams, with what JSON adds to them."""

GRACE_SECONDS = 5.0
"""How long a program that was told to end may take before it is killed."""

_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - its own
_CHUNK = 64 * 1024
_MOST_JSON = 1400 * 1024
_AFTERWARDS_SECONDS = 0.5
_LOOK_SECONDS = 0.2
_ENGINE = 0


class Output:
    """The first and the last bytes of a stream, half of the limit each; what is between is read and forgotten."""

    def __init__(self, limit: int, most_json: int = _MOST_JSON) -> None:
        self._most_json = most_json
        self._most_head = limit - limit // 2
        self._most_tail = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._size = 0
        self.cut = False

    def take(self, data: bytes) -> None:
        """Add what was read."""
        self._size += len(data)
        room = self._most_head - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._most_tail:
            self._shorten()

    def text(self) -> str:
        """Return what was kept; cut further where it takes much more room as JSON than as text."""
        self._shorten()
        head, tail = bytes(self._head), bytes(self._tail)
        text = self._joined(head, tail)
        while len(json.dumps(text)) > self._most_json:
            if len(head) + len(tail) == self._size:
                both = head + tail
                head, tail = both[: len(both) // 2], both[len(both) // 2 :]
            head, tail = head[: len(head) * 3 // 4], tail[len(tail) // 4 :]
            text = self._joined(head, tail)
        return text

    def _shorten(self) -> None:
        del self._tail[: max(0, len(self._tail) - self._most_tail)]

    def _joined(self, head: bytes, tail: bytes) -> str:
        left_out = self._size - len(head) - len(tail)
        if not left_out:
            return (head + tail).decode("utf-8", "replace")
        self.cut = True
        texts = [part.decode("utf-8", "replace") for part in (head, tail)]
        return f"\n[{left_out} bytes left out]\n".join(texts)


def run(request: dict[str, Any], log: Callable[..., None]) -> dict[str, Any]:  # noqa: ARG001 - the shape of every task
    """Run ``argv`` in ``folder`` with ``stdin`` and ``environment``; ``max_bytes`` of each stream are kept.

    When the engine closes its end of our standard input, the program and its group get SIGTERM, and SIGKILL after
    the grace. Returns ``exit_code`` (negative: ended by that signal), ``stdout``, ``stderr`` and whether one was cut.
    """
    with subprocess.Popen(
        request["argv"], cwd=request["folder"], env={**_ENVIRONMENT, **request["environment"]},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=0,
    ) as program:  # fmt: skip
        talk = _Conversation(program, request["stdin"].encode(), request["max_bytes"])
        talk.hold()
        code = program.wait()
    out, err = talk.out.text(), talk.err.text()
    return {"exit_code": code, "stdout": out, "stderr": err, "cut": talk.out.cut or talk.err.cut}


def explain(error: BaseException) -> str:
    """Return why the program could not be run."""
    if isinstance(error, OSError):
        return f"the program could not be started: {error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {error}"


class _Conversation:
    """Feeds a program and reads it until it has ended, and ends it when the engine wants that."""

    def __init__(self, program: subprocess.Popen[bytes], given: bytes, limit: int) -> None:
        self.out, self.err = Output(limit), Output(limit)
        self._program = program
        self._rest = memoryview(given)
        self._open = 2
        self._kill_at = 0.0

    def hold(self) -> None:
        """Return when the program has ended and its streams are read."""
        program = self._program
        with selectors.DefaultSelector() as selector:
            for stream, output in ((program.stdout, self.out), (program.stderr, self.err)):
                assert stream is not None  # noqa: S101 - pipes were asked for
                selector.register(stream, selectors.EVENT_READ, output)
            assert program.stdin is not None  # noqa: S101
            os.set_blocking(program.stdin.fileno(), False)
            selector.register(program.stdin, selectors.EVENT_WRITE)
            selector.register(_ENGINE, selectors.EVENT_READ)
            ended = 0.0
            while not ended or (self._open and time.monotonic() < ended + _AFTERWARDS_SECONDS):
                self._look(selector)
                if not ended and program.poll() is not None:
                    ended = time.monotonic()  # what it left running may hold the pipes: not waited for

    def _look(self, selector: selectors.BaseSelector) -> None:
        for key, _ in selector.select(_LOOK_SECONDS if self._open else 0):
            if key.fd == _ENGINE:
                selector.unregister(_ENGINE)
                self._signal(signal.SIGTERM)
                self._kill_at = time.monotonic() + GRACE_SECONDS
            elif key.data is None:
                self._rest = _write(selector, self._program, self._rest)
            else:
                self._read(selector, key)
        if not self._open:
            with suppress(subprocess.TimeoutExpired):
                self._program.wait(_LOOK_SECONDS)
        if self._kill_at and time.monotonic() > self._kill_at:
            self._signal(signal.SIGKILL)

    def _read(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        data = os.read(key.fd, _CHUNK)
        key.data.take(data)
        if not data:
            selector.unregister(key.fileobj)
            self._open -= 1

    def _signal(self, number: int) -> None:
        if self._program.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._program.pid, number)


def _write(
    selector: selectors.BaseSelector, program: subprocess.Popen[bytes], rest: memoryview
) -> memoryview:
    assert program.stdin is not None  # noqa: S101
    try:
        rest = rest[os.write(program.stdin.fileno(), rest) :] if rest else rest
    except BlockingIOError:
        return rest
    except OSError:  # it does not read
        rest = memoryview(b"")
    if not rest:
        selector.unregister(program.stdin)
        program.stdin.close()
    return rest
