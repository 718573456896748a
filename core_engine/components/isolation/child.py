"""The program of a locked child: lock, say so, take one request, do it, answer, end.

Started as ``python -I -S -B child.py SPEC`` with an empty environment. SPEC is JSON: ``task`` (a module of
`tasks`), ``root`` (the folder our package is in), ``packages`` (folders a task imports from), ``readable``,
``writable``, ``walls`` (see `lock.Walls`) and ``door`` (null, or the descriptor of its way out: see `door`, and `proxy`
for programs).
Whatever foreign code prints goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, json.loads(sys.argv[1])["root"])

from core_engine.components.isolation import frames, lock

MAX_LOG_CHARACTERS = 4000
_ANSWERS, _REQUESTS, _NOISE = 1, 0, 2


class Speaker:
    """Writes frames to the engine."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, frame: dict[str, Any]) -> None:
        """Write one frame whole."""
        rest = memoryview(frames.encode(frame))
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    def log(self, message: Any, level: Any = "INFO") -> None:
        """Write a line to the run's log; levels are DEBUG, INFO, SUCCESS, WARN and ERROR."""
        text = str(message)[:MAX_LOG_CHARACTERS]
        self.send({"kind": "log", "message": text, "level": str(level)[:20]})


def main(spec: dict[str, Any]) -> None:
    """Serve one request and end the process."""
    speaker = Speaker(os.dup(_ANSWERS))
    os.dup2(_NOISE, _ANSWERS)
    sys.path.extend(spec["packages"])
    task = importlib.import_module(f"core_engine.components.isolation.tasks.{spec['task']}")
    start_way_out = _prepare_way_out(spec) if spec["door"] is not None else None
    if hasattr(task, "prepare"):
        task.prepare()
    sys.path.remove(spec["root"])
    lock.lock_process(spec["readable"], spec["writable"], lock.Walls(**spec["walls"]))
    if start_way_out is not None:
        start_way_out()
    speaker.send({"kind": "ready"})
    request = _receive()
    if request is not None:
        lock.limit_use(seconds=request["seconds"], memory_bytes=request["memory_bytes"])
        _answer(task, request, speaker)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # foreign code may have put anything in their place
            stream.flush()
    os._exit(0)


def _prepare_way_out(spec: dict[str, Any]) -> Callable[[], None] | None:
    """Have network code of this process, or the programs it starts, led to the door; return what is left to call."""
    if spec["walls"]["port"]:
        proxy = importlib.import_module("core_engine.components.isolation.proxy").Proxy(spec["door"])
        start: Callable[[], None] = proxy.start
        return start
    importlib.import_module("core_engine.components.isolation.door").install(spec["door"])
    return None


def _answer(task: Any, request: dict[str, Any], speaker: Speaker) -> None:
    try:
        value = task.run(request, speaker.log)
    except MemoryError:
        reason = {"reason": "memory", "message": "it used more memory than allowed"}
    except BaseException as error:  # noqa: BLE001 - foreign code may raise anything, also SystemExit
        reason = {"reason": "raised", "message": _explain(task, error)}
    else:
        most = getattr(task, "MAX_VALUE_BYTES", frames.MAX_VALUE_BYTES)
        reason = _deliver(value, speaker, most)
    if reason:
        speaker.send({"kind": "error", **reason})


def _explain(task: Any, error: BaseException) -> str:
    try:
        return str(task.explain(error))[:MAX_LOG_CHARACTERS]
    except Exception:  # noqa: BLE001 - a foreign error's own text may fail as well
        return type(error).__name__


def _deliver(value: Any, speaker: Speaker, most: int) -> dict[str, str]:
    try:
        size = len(frames.encode(value))
    except (TypeError, ValueError, RecursionError) as error:
        return {"reason": "not_json", "message": f"the result is not JSON: {error}"[:MAX_LOG_CHARACTERS]}
    if size > most:
        limit = most // (1024 * 1024)
        return {"reason": "too_large", "message": f"the result has {size} bytes, the limit is {limit} MiB"}
    speaker.send({"kind": "result", "value": value})
    return {}


def _receive() -> dict[str, Any] | None:
    reader = frames.FrameReader(frames.MAX_REQUEST_BYTES, json.loads)
    while data := os.read(_REQUESTS, 1 << 20):
        if received := reader.feed(data):
            return received[0]
    return None


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
