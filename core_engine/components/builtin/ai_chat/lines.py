"""A text that comes in small pieces, as lines of the log: cut at ends of lines and sentences."""

from __future__ import annotations

from collections.abc import Callable

_ENOUGH = 160
_LONGEST = 1000


class LogLines:
    """Gathers pieces and writes a line whenever enough has come; `end` writes the rest."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._held = ""

    def add(self, piece: str) -> None:
        """Take the next piece."""
        self._held += piece
        while len(self._held) >= _ENOUGH and (cut := self._cut()):
            self._write(self._held[:cut].strip())
            self._held = self._held[cut:].lstrip()

    def end(self) -> None:
        """Write what is left."""
        if self._held.strip():
            self._write(self._held.strip())
        self._held = ""

    def _cut(self) -> int:
        """Return where to cut: after the last end of a line or sentence, anywhere in a text without any."""
        head = self._held[:_LONGEST]
        ends = [head.rfind(mark) + len(mark) for mark in ("\n", ". ", "! ", "? ", "。") if mark in head]
        if ends:
            return max(ends)
        if len(self._held) < _LONGEST:
            return 0
        return head.rfind(" ") + 1 or _LONGEST
