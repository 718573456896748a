"""One child process as the engine sees it: started, asked once, listened to, ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import msgspec
import psutil
from typing_extensions import override

from core_engine.components.isolation import frames
from core_engine.kernel.context import LogLevel
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

OnLog = Callable[[str, LogLevel], None]

MAX_LOG_LINES = 500
MAX_LOG_BYTES = 64 * 1024
_MAX_LINE_BYTES = 4096
_START_SECONDS = 30.0
_LAST_WORDS_SECONDS = 1.0
_END_SECONDS = 5.0
_LEVELS = frozenset({"DEBUG", "INFO", "SUCCESS", "WARN", "ERROR"})

_log = logging.getLogger(__name__)


class BoundedLog:
    """Passes on what foreign code logs and prints, up to a limit, then says so once and keeps silent."""

    def __init__(self, on_log: OnLog) -> None:
        self._on_log = on_log
        self._lines = MAX_LOG_LINES
        self._bytes = MAX_LOG_BYTES
        self._partial = b""

    def write(self, message: str, level: LogLevel) -> None:
        """Pass one line on."""
        if self._lines < 0:
            return
        self._lines -= 1
        self._bytes -= len(message)
        if self._lines < 0 or self._bytes < 0:
            self._lines = -1
            self._on_log("Further output of this step is not shown.", "WARN")
        else:
            self._on_log(message, level)

    def feed(self, data: bytes) -> None:
        """Take printed bytes and pass whole lines on."""
        *lines, rest = (self._partial + data).split(b"\n")
        if len(rest) > _MAX_LINE_BYTES:
            lines.append(rest)
            rest = b""
        self._partial = rest
        for line in lines:
            if line.strip():
                self.write(line[:_MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r"), "INFO")

    def finish(self) -> None:
        """Pass the last, unfinished line on."""
        self.feed(b"\n")


class ChildProcess(asyncio.SubprocessProtocol):
    """The engine's end of one child. Used once: `start`, `ask`, `end`."""

    def __init__(self, door: socket.socket | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.door = door
        self._ready: asyncio.Future[bool] = loop.create_future()
        self._gone: asyncio.Future[None] = loop.create_future()
        self._answer: asyncio.Future[dict[str, Any] | None] = loop.create_future()
        self._reader = frames.FrameReader(frames.MAX_FRAME_BYTES, _decode)
        self._early = bytearray()
        self._log: BoundedLog | None = None
        self._transport: asyncio.SubprocessTransport | None = None

    @classmethod
    async def start(
        cls, command: list[str], door: tuple[socket.socket, socket.socket] | None = None
    ) -> ChildProcess:
        """Start a child and wait until it is locked. Raises FloworkError SANDBOX_UNAVAILABLE.

        ``door`` are the engine's end and the child's end of its way out; the child's is closed here at once.
        """
        ours, theirs = door or (None, None)
        child = cls(ours)
        spawning = asyncio.ensure_future(child._spawn(command, theirs))
        try:
            await asyncio.shield(spawning)
            async with asyncio.timeout(_START_SECONDS):
                locked = await asyncio.shield(child._ready)
        except TimeoutError:
            await child.end()
            raise FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, "The child did not start in time.") from None
        except asyncio.CancelledError:
            # until it is locked, bubblewrap's inner process can outlive its outer one
            with suppress(FloworkError, TimeoutError):
                await spawning
                async with asyncio.timeout(_START_SECONDS):
                    await asyncio.shield(child._ready)
            await child.end()
            raise
        if not locked:
            await child.end()
            noise = child._early.decode("utf-8", "replace")[-500:]
            _log.error("an isolated child could not lock itself", extra={"output": noise})
            raise FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, "The walls around code of others did not hold.")
        return child

    @property
    def usable(self) -> bool:
        """Whether the child still waits for its request."""
        return not self._gone.done() and not self._answer.done()

    async def ask(self, request: bytes, on_log: OnLog, *, more: bool = False) -> dict[str, Any] | None:
        """Hand over the request and wait for the answer; None when the child ended without one.

        With ``more`` the child's input stays open, for `wind_up`.
        """
        self._log = BoundedLog(on_log)
        cast("asyncio.WriteTransport", self._pipe(0)).write(request)
        if not more:
            self.wind_up()
        answer = await asyncio.shield(self._answer)
        with suppress(TimeoutError):  # what was printed last may still be on its way
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await asyncio.shield(self._gone)
        self._log.finish()
        return answer

    def wind_up(self) -> None:
        """Close the child's input: one that runs a program ends that politely and answers with what it has."""
        if self._transport and (stdin := self._transport.get_pipe_transport(0)):
            stdin.close()

    @property
    def pid(self) -> int:
        """The process id of what was started; -1 before that."""
        return self._transport.get_pid() if self._transport else -1

    def kill(self) -> None:
        """Kill the child at once; `end` is still to be called."""
        if not self._gone.done():
            _kill_innermost(self.pid)

    async def end(self) -> None:
        """Kill the child, wait until it is gone, and release its pipes."""
        self._close_door()
        if self._transport is None:
            return
        for kill in (_kill_innermost, _kill_group):
            if not self._gone.done():
                kill(self._transport.get_pid())
                with suppress(TimeoutError):
                    async with asyncio.timeout(_END_SECONDS):
                        await asyncio.shield(self._gone)
        self._transport.close()

    async def _spawn(self, command: list[str], theirs: socket.socket | None) -> None:
        loop = asyncio.get_running_loop()
        given = (theirs.fileno(),) if theirs else ()
        try:
            self._transport, _ = await loop.subprocess_exec(
                lambda: self, *command, env={}, cwd="/", start_new_session=True, pass_fds=given
            )
        except OSError as error:
            self._close_door()
            raise FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, f"No child process: {error}") from error
        finally:
            if theirs:
                theirs.close()

    def _close_door(self) -> None:
        if self.door:
            self.door.close()

    def exit_code(self) -> int | None:
        """Return the exit code; negative is a signal, None while the child runs."""
        return self._transport.get_returncode() if self._transport else None

    @override
    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Take what the child wrote: answers on 1, prints on 2."""
        received = data if isinstance(data, bytes) else data.encode()
        if fd == 1:
            self._take(received)
        elif self._log:
            self._log.feed(received)
        elif len(self._early) < MAX_LOG_BYTES:
            self._early += received

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the child has ended and all its pipes are read."""
        for future, value in ((self._ready, False), (self._answer, None), (self._gone, None)):
            if not future.done():
                cast("asyncio.Future[Any]", future).set_result(value)

    def _take(self, data: bytes) -> None:
        try:
            for frame in self._reader.feed(data):
                self._handle(frame)
        except ValueError as error:
            self._settle({"kind": "error", "reason": "protocol", "message": f"it answered wrongly: {error}"})

    def _handle(self, frame: dict[str, Any]) -> None:
        kind = frame.get("kind")
        if kind == "ready" and not self._ready.done():
            self._ready.set_result(True)
        elif kind == "log" and self._log:
            level = frame.get("level")
            known = cast("LogLevel", level) if level in _LEVELS else "INFO"
            self._log.write(str(frame.get("message"))[:_MAX_LINE_BYTES], known)
        elif kind in {"result", "error"}:
            self._settle(frame)

    def _settle(self, frame: dict[str, Any]) -> None:
        if not self._answer.done():
            self._answer.set_result(frame)

    def _pipe(self, number: int) -> asyncio.BaseTransport:
        pipe = self._transport.get_pipe_transport(number) if self._transport else None
        if pipe is None:
            raise FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, "The child has ended before it was asked.")
        return pipe


def _kill_innermost(pid: int) -> None:
    """Kill what bubblewrap started, the first process of its namespace: all in it ends, and bubblewrap tidies up.

    Were bubblewrap killed first, that process would be left to the machine's init, or not end at all when it was
    just being started. Without bubblewrap there is one process, which is killed.
    """
    try:
        inner = psutil.Process(pid).children()
    except psutil.Error:
        inner = []
    if not inner:
        _kill_group(pid)
    for child in inner:
        with suppress(psutil.Error):
            child.kill()


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _decode(body: bytes) -> Any:
    try:
        check_depth(body, MAX_DEPTH)
        return msgspec.json.decode(body)
    except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error
