"""The process of one step: forked by a worker, it runs the component, tells what it tells, and ends with the result.

A process of its own can be killed at any moment, whatever the component does, and takes nobody along when it crashes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import inspect
import os
import signal
import socket
import struct
import sys
import threading
from typing import Any, NoReturn

import msgspec

from core_engine.components.files import RootedFiles
from core_engine.components.registry import ComponentRegistry
from core_engine.kernel.component import Component, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.suspension import Suspend
from core_engine.workers.context import WorkerContext
from core_engine.workers.wire import Request, ended_badly, ended_well
from core_engine.workflow.journal import encode_result
from shared.errors import ErrorCode, FloworkError

HEADER = struct.Struct(">BI")
TOLD, ENDED = 0, 1
LARGEST = 256 * 1024 * 1024
"""Bytes of a request or a result."""
_PARENT_DEATH = 1
_DEFAULT_SIGNALS = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGCHLD,
)


class StepProcess:
    """A started step process, seen by its worker: a process id and the near end of the line to it."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self.line = line

    @classmethod
    def fork(cls, registry: ComponentRegistry, files: RootedFiles) -> StepProcess:
        """Start a process that waits for its request; no event loop may run in this thread."""
        near, far = socket.socketpair()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            near.close()
            _live(far, parent, registry, files)
        far.close()
        return cls(pid, near)

    def end(self) -> None:
        """Kill the process with everything it started, and wait for its end."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self.line.close()


def _live(line: socket.socket, parent: int, registry: ComponentRegistry, files: RootedFiles) -> NoReturn:
    """Be the step's process; nothing of the worker that this process is a copy of may run on in it."""
    code = 1
    try:
        _settle(parent)
        request = _read(line)
        if request:
            _write(line, ENDED, _carry_out(request, registry, files, line))
            line.shutdown(socket.SHUT_WR)
            code = 0
    finally:
        os._exit(code)


def _settle(parent: int) -> None:
    os.setsid()
    for number in _DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)


def _carry_out(body: bytes, registry: ComponentRegistry, files: RootedFiles, line: socket.socket) -> bytes:
    try:
        request = msgspec.json.decode(body, type=Request)
        component = _component(request, registry)
        guard = threading.Lock()

        def tell(told: bytes) -> None:
            with guard:  # a component may tell from several threads
                _write(line, TOLD, told)

        context = WorkerContext(request, files, tell)
        if component.execution is Execution.ASYNC:
            result = asyncio.run(_await(component, context, request, registry))
        else:
            result = _call(component, context, request)
        return _encode(result)
    except BaseException as error:  # noqa: BLE001 - whatever ended the step is its result, sys.exit included
        return ended_badly(error)


def _component(request: Request, registry: ComponentRegistry) -> Component[Any]:
    component = registry.find(request.component)
    if component is None:
        message = f"This worker has no component {request.component!r}; is it of another version?"
        raise FloworkError(ErrorCode.CONFIGURATION, message)
    return component


def _encode(result: object) -> bytes:
    outputs = encode_result(result)
    if isinstance(outputs, Suspend):
        raise FloworkError(ErrorCode.NOT_IMPLEMENTED, "A step that waits cannot be carried out by a worker.")
    ended = ended_well(outputs)
    if len(ended) > LARGEST:
        raise FloworkError(ErrorCode.TOO_LARGE, f"The result has {len(ended)} bytes; {LARGEST} are possible.")
    return ended


def _call(component: Component[Any], context: Context, request: Request) -> Any:
    return component.call(context, component.parse_config(request.values), request.payload)


async def _await(
    component: Component[Any], context: Context, request: Request, registry: ComponentRegistry
) -> Any:
    try:
        result = _call(component, context, request)
        return await result if inspect.isawaitable(result) else result
    finally:
        await registry.close()


def _read(line: socket.socket) -> bytes | None:
    """Return the request; None where the worker did not get the step."""
    header = _exactly(line, HEADER.size)
    return _exactly(line, HEADER.unpack(header)[1]) if header else None


def _exactly(line: socket.socket, size: int) -> bytes | None:
    content = bytearray()
    while len(content) < size:
        part = line.recv(min(size - len(content), 1 << 20))
        if not part:
            return None
        content += part
    return bytes(content)


def _write(line: socket.socket, kind: int, body: bytes) -> None:
    line.sendall(HEADER.pack(kind, len(body)) + body)
