"""A run's journal as bytes: records to segments and back, large payloads to files beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence

import msgspec

from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Suspend
from core_engine.storage import BlobRow
from core_engine.storage.blobs import blob_name
from core_engine.workflow.records import AnyRecord, Outputs, Record, RunAccepted
from shared.errors import ErrorCode, FloworkError

LARGE = 64 * 1024
_REFERENCE = "sha256:"
_ENCODE = msgspec.json.Encoder().encode
_DECODE_SEGMENT = msgspec.json.Decoder(list[AnyRecord]).decode
_DECODE_PAYLOAD = msgspec.json.Decoder(Payload).decode


def encode_segment(records: Sequence[Record]) -> bytes:
    """Return the body of a segment."""
    return _ENCODE(records)


def decode_segments(segments: Iterable[tuple[int, bytes]], run: str, expected: int) -> list[AnyRecord]:
    """Return a run's records from its segments (first record number and body).

    ``expected`` is how many there must be. Raises JOURNAL_CORRUPT naming the place where one is missing or
    unreadable: nothing is ever skipped.
    """
    records: list[AnyRecord] = []
    for first, body in segments:
        if first != len(records) + 1:
            raise _corrupt(run, f"record {len(records) + 1} is missing")
        try:
            records += _DECODE_SEGMENT(body)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise _corrupt(run, f"the segment at record {first} is unreadable: {error}") from error
    if len(records) != expected:
        raise _corrupt(run, f"it has {len(records)} of {expected} records")
    if not records or not isinstance(records[0], RunAccepted):
        raise _corrupt(run, "it does not begin with the run's acceptance")
    return records


def encode_payload(payload: Payload) -> bytes:
    """Return a payload as JSON; raises TypeError, ValueError or RecursionError for what is no JSON value."""
    return _ENCODE(payload)


def encode_result(result: object) -> dict[str, bytes] | Suspend:
    """Return what a component gave back as JSON per port, a `Suspend` as it is; else raises TypeError or ValueError."""
    if not isinstance(result, Result):
        if isinstance(result, Suspend):
            return result
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(f"The component returned {type(result).__name__} instead of a Result.")
    outputs = {}
    for port, payload in result.outputs.items():
        if not port.isascii():
            port.encode()  # a name that is no valid Unicode would spoil the whole segment
        outputs[port] = _ENCODE(payload)
    return outputs


class Payloads:
    """The payloads of one run: small ones stand in the journal, large ones in files named by their content.

    ``unwritten`` are the files that must be stored before the segment that names them. The content of a large
    payload is kept in memory, in ``large``, until `release`.
    """

    __slots__ = ("_has_references", "_read", "_run", "large", "unwritten")

    def __init__(self, run_number: int, read: Callable[[str], bytes], *, restored: bool = False) -> None:
        """Begin a run's payloads; a restored run may have named large ones before."""
        self._run = run_number
        self._read = read
        self._has_references = restored
        self.large: dict[str, bytes] = {}
        self.unwritten: list[BlobRow] = []

    def store(self, content: bytes) -> msgspec.Raw:
        """Return what the journal says in place of the content."""
        if len(content) <= LARGE:
            return msgspec.Raw(content)
        name = blob_name(content)
        self._has_references = True
        if name not in self.large:
            self.large[name] = content
            self.unwritten.append(BlobRow(self._run, name, content))
        return msgspec.Raw(f'"{_REFERENCE}{name}"'.encode("ascii"))

    def load(self, stored: msgspec.Raw) -> Payload:
        """Return a payload, freshly decoded: no two steps share an object."""
        if self._has_references:
            name = _referred(stored)
            if name:
                return _DECODE_PAYLOAD(self.large.get(name) or self._read(name))
        return _DECODE_PAYLOAD(stored)

    def release(self, outputs: Outputs, kept: Iterable[Outputs] = ()) -> None:
        """Let go of large contents that no step needs any more; they can still be read from their files.

        What ``kept`` names too stays at hand: the same content may be the output of several steps.
        """
        needed = {_referred(stored) for other in kept for stored in other.values()}
        for stored in outputs.values():
            name = _referred(stored)
            if name and name not in needed:
                self.large.pop(name, None)


def _referred(stored: msgspec.Raw) -> str | None:
    content = memoryview(stored)
    if content[0] != ord('"'):
        return None
    return bytes(content[len(_REFERENCE) + 1 : -1]).decode("ascii")


def _corrupt(run: str, problem: str) -> FloworkError:
    return FloworkError(ErrorCode.JOURNAL_CORRUPT, f"The journal of run {run} is damaged: {problem}.")
