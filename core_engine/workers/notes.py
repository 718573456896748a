"""What the processes of a worker's pool note of their work for its supervisor: lines in a pipe, never waited for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import msgspec

LONGEST = 4096
"""Bytes of a line: up to here the kernel never mixes those of several processes (PIPE_BUF)."""
_CHUNK = 64 * 1024

Became = Literal[
    "done", "failed", "crashed", "withdrawn", "lease_lost", "out_of_reach", "refused_late", "refused", "left_alone",
    "dropped", "error",
]  # fmt: skip
"""What became of a ticket.

done, failed: the step ended; crashed: its process ended without a word; withdrawn: the engine took it back;
lease_lost, out_of_reach, refused_late: the lease was gone before the end; refused: somebody else has the step;
left_alone: the step is of an engine of another version;
dropped: no ticket of ours; error: the database did not answer.
"""
LOSSES = frozenset({"lease_lost", "out_of_reach", "refused_late"})


class Note(msgspec.Struct, frozen=True, array_like=True):
    """A process took a step that had waited ``waited`` seconds for it, or, with ``became``, is done with a ticket.

    ``at`` is Unix milliseconds, ``seconds`` how long the step was held; ``trace`` is the ticket's.
    """

    pid: int
    at: int
    became: Became | None = None
    waited: float = 0.0
    seconds: float = 0.0
    run: str = ""
    node: str = ""
    attempt: int = 0
    trace: str = ""


class NotePad:
    """The pool's end: writes lines; what the pipe has no room for is left out."""

    def __init__(self, pipe: int | None) -> None:
        """Write into a pipe that was handed down; None for a worker without a supervisor."""
        self._pipe = pipe
        if pipe is not None:
            os.set_blocking(pipe, False)
            os.set_inheritable(pipe, False)

    def write(self, note: Note) -> None:
        """Write a note down."""
        line = msgspec.json.encode(note) + b"\n"
        if self._pipe is not None and len(line) <= LONGEST:
            with suppress(OSError):
                os.write(self._pipe, line)


class NoteReader:
    """The supervisor's end. `open` it, `close` it; ``pipe`` is handed down to the pool."""

    def __init__(self, hear: Callable[[Note], None]) -> None:
        self._hear = hear
        self._read, self.pipe = os.pipe()
        self._rest = b""

    def open(self) -> None:
        """Begin to hear."""
        os.set_blocking(self._read, False)
        asyncio.get_running_loop().add_reader(self._read, self._take)

    def close(self) -> None:
        """Hear no more."""
        asyncio.get_running_loop().remove_reader(self._read)
        os.close(self._read)
        os.close(self.pipe)

    def _take(self) -> None:
        with suppress(BlockingIOError):
            *lines, self._rest = (self._rest + os.read(self._read, _CHUNK)).split(b"\n")
            self._rest = self._rest[-LONGEST:]
            for line in lines:
                with suppress(msgspec.MsgspecError):
                    self._hear(msgspec.json.decode(line, type=Note))
