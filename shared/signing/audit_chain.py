"""The hash chain of the gateway's audit log, and the check of an export without any server.

An entry's hash is the SHA-256 of the compact JSON list ``[prev, seq, at_ms, actor, action, subject]``, where ``prev``
is the hash of the entry before. An export is NDJSON: a line of type ``start``, one line for each entry, a line of type
``head``. Whoever keeps a head elsewhere notices later that the log was rewritten since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import parse_object

GENESIS = "0" * 64
MAX_LINE = 4096


@dataclass(frozen=True, slots=True)
class AuditSummary:
    """What a sound export holds; ``scope`` is ``all`` or ``own``, ``head`` the hash of its last entry."""

    scope: str
    count: int
    seq: int
    head: str


def entry_hash(previous: str, entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry with the members ``seq``, ``at_ms``, ``actor``, ``action`` and ``subject``."""
    members = [entry[name] for name in ("seq", "at_ms", "actor", "action", "subject")]
    text = json.dumps([previous, *members], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def verify_export(lines: Iterable[bytes]) -> AuditSummary:
    """Check an export line by line; raises INVALID_REQUEST that names the first line which is not as it was written."""
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        if line.strip():
            reader.take(number, line)
    if reader.summary is None:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The export has no head line; it was cut off.")
    return reader.summary


class _Reader:
    def __init__(self) -> None:
        self.summary: AuditSummary | None = None
        self._scope = ""
        self._last: tuple[int, str] | None = None
        self._count = 0
        self._digest = hashlib.sha256()

    def take(self, number: int, line: bytes) -> None:
        if self.summary is not None:
            raise _wrong(number, "follows the head line")
        try:
            value = parse_object(line) if len(line) <= MAX_LINE else {}
            kind = value["type"]
            if kind == "start" and number == 1:
                self._start(value)
            elif kind == "entry" and self._last is not None:
                self._entry(number, value)
            elif kind == "head" and self._last is not None:
                self._head(number, value)
            else:
                raise _wrong(number, "is not expected here")
        except (KeyError, TypeError, ValueError) as error:
            raise _wrong(number, "does not have the form of an export") from error
        self._digest.update(line.rstrip(b"\r\n") + b"\n")

    def _start(self, value: dict[str, Any]) -> None:
        self._scope = str(value["scope"])
        self._last = (int(value["seq"]), str(value["hash"]))

    def _entry(self, number: int, value: dict[str, Any]) -> None:
        seq, before = int(value["seq"]), self._last or (0, "")
        if entry_hash(str(value["prev"]), value) != value["hash"]:
            raise _wrong(number, "was changed: its hash does not fit")
        follows = seq == before[0] + 1
        if (follows and value["prev"] != before[1]) or seq <= before[0]:
            raise _wrong(number, "does not continue the entry before it")
        if self._scope == "all" and not follows:
            raise _wrong(number, "comes after a gap: entries are missing")
        self._last = (seq, str(value["hash"]))
        self._count += 1

    def _head(self, number: int, value: dict[str, Any]) -> None:
        last = self._last or (0, "")
        if value["digest"] != self._digest.hexdigest() or value["count"] != self._count:
            raise _wrong(number, "does not fit what stands before it: lines were changed, added or removed")
        if (value["seq"], value["hash"]) != last:
            raise _wrong(number, "names another last entry: the end of the log is missing")
        self.summary = AuditSummary(self._scope, self._count, *last)


def _wrong(number: int, what: str) -> FloworkError:
    return FloworkError(ErrorCode.INVALID_REQUEST, f"Line {number} {what}.", details={"line": number})
