"""Runs a program or a shell's command line, and keeps a bounded part of what it prints."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from typing import Any

_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - its own
_CHUNK = 64 * 1024
_MOST_JSON = 400 * 1024
_AFTERWARDS_SECONDS = 0.5
_LOOK_SECONDS = 0.2


class Output:
    """The first bytes of a stream; the rest is read and forgotten."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self.size = 0

    def take(self, data: bytes) -> None:
        """Add what was read."""
        self.size += len(data)
        self._kept += data[: max(0, self._limit - len(self._kept))]

    def text(self) -> str:
        """Return what was kept; cut further where it takes much more room as JSON than as text."""
        text = self._kept.decode("utf-8", "replace")
        while len(json.dumps(text)) > _MOST_JSON:
            text = text[: len(text) * 3 // 4]
        return text


def run(request: dict[str, Any], log: Callable[..., None]) -> dict[str, Any]:  # noqa: ARG001 - the shape of every task
    """Run ``argv`` in ``folder`` with ``stdin`` and ``environment``; ``max_bytes`` of each stream are kept.

    Returns ``exit_code`` (negative: ended by that signal), ``stdout``, ``stderr`` and whether one was cut.
    """
    with subprocess.Popen(
        request["argv"], cwd=request["folder"], env={**_ENVIRONMENT, **request["environment"]},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:  # fmt: skip
        outputs = _converse(program, request["stdin"].encode(), request["max_bytes"])
        code = program.wait()
    out, err = outputs
    texts = (out.text(), err.text())
    cut = any(len(text.encode()) < output.size for text, output in zip(texts, outputs, strict=True))
    return {"exit_code": code, "stdout": texts[0], "stderr": texts[1], "cut": cut}


def explain(error: BaseException) -> str:
    """Return why the program could not be run."""
    if isinstance(error, OSError):
        return f"the program could not be started: {error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {error}"


def _converse(program: subprocess.Popen[bytes], given: bytes, limit: int) -> tuple[Output, Output]:
    out, err = Output(limit), Output(limit)
    rest = memoryview(given)
    with selectors.DefaultSelector() as selector:
        for stream, output in ((program.stdout, out), (program.stderr, err)):
            assert stream is not None  # noqa: S101 - pipes were asked for
            selector.register(stream, selectors.EVENT_READ, output)
        assert program.stdin is not None  # noqa: S101
        os.set_blocking(program.stdin.fileno(), False)
        selector.register(program.stdin, selectors.EVENT_WRITE)
        ended = 0.0
        while selector.get_map() and not (ended and time.monotonic() > ended + _AFTERWARDS_SECONDS):
            for key, _ in selector.select(_LOOK_SECONDS):
                if key.data is None:
                    rest = _write(selector, program, rest)
                else:
                    _read(selector, key)
            if not ended and program.poll() is not None:
                ended = time.monotonic()  # what it left running may hold the pipes: not waited for
    return out, err


def _read(selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    data = os.read(key.fd, _CHUNK)
    key.data.take(data)
    if not data:
        selector.unregister(key.fileobj)


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
