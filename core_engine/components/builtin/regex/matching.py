"""RE2 over texts: linear in time, bounded in memory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import re2

from core_engine.components.whole_files import MIB
from shared.errors import ErrorCode, FloworkError

_MEMORY = 16 * MIB
_LARGEST = 64 * MIB
_REFERENCE = re.compile(r"\\(.?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern."""

    regexp: Any

    def find(self, text: str, most: int) -> list[dict[str, Any]]:
        """Return matches from left to right, as many as wanted."""
        return [
            {
                "match": match.group(0), "groups": list(match.groups()), "named": match.groupdict(),
                "start": match.start(), "end": match.end(),
            }
            for match in islice(self.regexp.finditer(_valid(text)), most)
        ]  # fmt: skip

    def check_replacement(self, replacement: str) -> None:
        r"""Raise ValueError for a reference to a group that is not there; a backslash itself is written \\."""
        for sign in _REFERENCE.findall(replacement):
            if sign != "\\" and not (sign.isdecimal() and sign.isascii() and int(sign) <= self.regexp.groups):
                raise ValueError(f"the replacement's \\{sign} is no group of the pattern")

    def replace(self, text: str, replacement: str, most: int) -> tuple[str, int]:
        """Return the text with matches replaced, and how many were; raises TOO_LARGE."""
        parts: list[str] = []
        done = count = size = 0
        text = _valid(text)
        for match in islice(self.regexp.finditer(text), most):
            new = _REFERENCE.sub(partial(_part, match), replacement)
            parts += (text[done : match.start()], new)
            size += len(new)
            if size > _LARGEST:
                raise FloworkError(ErrorCode.TOO_LARGE, "The text becomes too large by replacing.")
            done, count = match.end(), count + 1
        return "".join(parts) + text[done:], count

    def split(self, text: str, most: int) -> tuple[list[str], int]:
        """Return what is between the matches, and how many there are; empty matches do not split."""
        pieces: list[str] = []
        done = 0
        text = _valid(text)
        for match in self.regexp.finditer(text):
            if len(pieces) == most:
                break
            if match.end() > match.start():
                pieces.append(text[done : match.start()])
                done = match.end()
        return [*pieces, text[done:]], len(pieces)


def compile_pattern(pattern: str, flags: str) -> Pattern:
    """Compile with the flags ``i``, ``m`` and ``s``. Raises ValueError saying what is wrong."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled = re2.compile(f"(?{flags})(?:{pattern})" if flags else pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern is not valid: {_reason(error)}") from error
    return Pattern(compiled)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def _part(match: Any, found: re.Match[str]) -> str:
    sign = found[1]
    return "\\" if sign == "\\" else match.group(int(sign)) or ""


def _valid(text: str) -> str:
    """Return the text without half characters, which RE2 cannot read."""
    return text.encode("utf-8", "replace").decode()
