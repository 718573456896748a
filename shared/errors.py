"""The one error table: each code's meaning on HTTP, on a socket and on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ErrorCode(StrEnum):
    """Stable names of everything that can go wrong; clients branch on these, never on texts."""

    INVALID_REQUEST = "INVALID_REQUEST"
    INVALID_WORKFLOW = "INVALID_WORKFLOW"
    UNKNOWN_COMMAND = "UNKNOWN_COMMAND"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    STALE = "STALE"
    REPLAYED = "REPLAYED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    TOO_LARGE = "TOO_LARGE"
    UNSUPPORTED_MEDIA = "UNSUPPORTED_MEDIA"
    RATE_LIMITED = "RATE_LIMITED"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    PAYMENT_REQUIRED = "PAYMENT_REQUIRED"
    COMPONENT_FAILED = "COMPONENT_FAILED"
    SANDBOX_UNAVAILABLE = "SANDBOX_UNAVAILABLE"
    STORAGE_FULL = "STORAGE_FULL"
    JOURNAL_CORRUPT = "JOURNAL_CORRUPT"
    ENGINE_UNAVAILABLE = "ENGINE_UNAVAILABLE"
    BUSY = "BUSY"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    CONFIGURATION = "CONFIGURATION"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """How one code looks to each kind of caller.

    ``http`` is the status of a REST answer, ``exit`` the exit code of the command line (sysexits.h),
    ``retryable`` whether sending the same request again can succeed.
    """

    http: int
    exit: int
    retryable: bool
    text: str


ERROR_TABLE: dict[ErrorCode, ErrorMeaning] = {
    ErrorCode.INVALID_REQUEST: ErrorMeaning(
        400, 65, False, "The request does not have the documented shape; details name the fields."
    ),
    ErrorCode.INVALID_WORKFLOW: ErrorMeaning(
        422, 65, False, "The workflow's graph or a node's settings are wrong; details list every problem."
    ),
    ErrorCode.UNKNOWN_COMMAND: ErrorMeaning(400, 65, False, "No command or event has this type."),
    ErrorCode.UNAUTHENTICATED: ErrorMeaning(401, 77, False, "Proof of identity is missing or incomplete."),
    ErrorCode.BAD_SIGNATURE: ErrorMeaning(
        401, 77, False, "The signature is malformed, not in its one accepted spelling, or of another key."
    ),
    ErrorCode.STALE: ErrorMeaning(
        401, 77, False, "The signed time is outside the accepted window; check the clock and sign again."
    ),
    ErrorCode.REPLAYED: ErrorMeaning(
        409, 77, False, "This signed message was used before; sign a fresh one."
    ),
    ErrorCode.FORBIDDEN: ErrorMeaning(403, 77, False, "The identity is known but may not do this."),
    ErrorCode.NOT_FOUND: ErrorMeaning(404, 66, False, "No such thing, or not yours: the answer is the same."),
    ErrorCode.METHOD_NOT_ALLOWED: ErrorMeaning(405, 65, False, "The path exists but not with this method."),
    ErrorCode.CONFLICT: ErrorMeaning(409, 73, False, "The request contradicts the present state."),
    ErrorCode.TOO_LARGE: ErrorMeaning(413, 65, False, "The message exceeds the configured limit."),
    ErrorCode.UNSUPPORTED_MEDIA: ErrorMeaning(415, 65, False, "The body is not in an accepted format."),
    ErrorCode.RATE_LIMITED: ErrorMeaning(
        429, 75, True, "Too many requests; wait as long as the answer says."
    ),
    ErrorCode.BUDGET_EXCEEDED: ErrorMeaning(
        402, 77, False, "What was set as the most to spend is spent; raise the limit or start a new run."
    ),
    ErrorCode.PAYMENT_REQUIRED: ErrorMeaning(
        402, 77, False, "A limit of the plan is reached; the text says which one and how to lift it."
    ),
    ErrorCode.COMPONENT_FAILED: ErrorMeaning(
        502, 70, False, "A component of the workflow reported a failure."
    ),
    ErrorCode.SANDBOX_UNAVAILABLE: ErrorMeaning(
        503,
        69,
        False,
        "This machine offers no isolation strong enough for code of others, so it was not run.",
    ),
    ErrorCode.STORAGE_FULL: ErrorMeaning(
        507, 74, True, "The engine cannot write its journal; nothing was accepted."
    ),
    ErrorCode.JOURNAL_CORRUPT: ErrorMeaning(
        500, 74, False, "A journal record fails its checksum; the run is held and nothing is skipped."
    ),
    ErrorCode.ENGINE_UNAVAILABLE: ErrorMeaning(503, 69, True, "The engine is not connected at the moment."),
    ErrorCode.BUSY: ErrorMeaning(
        503, 75, True, "The database is held by somebody else at the moment; nothing was changed."
    ),
    ErrorCode.DEADLINE_EXCEEDED: ErrorMeaning(504, 75, True, "The answer did not come in time."),
    ErrorCode.NOT_IMPLEMENTED: ErrorMeaning(
        501, 64, False, "Documented elsewhere, deliberately not offered here."
    ),
    ErrorCode.CONFIGURATION: ErrorMeaning(
        500, 78, False, "A setting is missing or wrong; the process does not start."
    ),
    ErrorCode.INTERNAL: ErrorMeaning(500, 70, False, "Our fault; quote the incident id when reporting it."),
}


class FloworkError(Exception):
    """An error with a code from the table; raised anywhere, translated at the three edges only.

    ``details`` is a JSON value for machines, for example a list of ``{"field", "problem"}``.
    ``retry_after`` is in seconds and is sent where the code is retryable.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, details: Any = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after

    @property
    def meaning(self) -> ErrorMeaning:
        """The code's row of the error table."""
        return ERROR_TABLE[self.code]

    def as_http_body(self) -> dict[str, Any]:
        """Return the documented REST body: ``{"error", "code"}`` plus ``details`` where there are any."""
        body: dict[str, Any] = {"error": self.message, "code": self.code.value}
        if self.details is not None:
            body["details"] = self.details
        return body

    def as_frame(self, *, job_id: str | None = None, request_id: str | None = None) -> dict[str, Any]:
        """Return the socket frame ``{"type": "error", "code", "message", …}``."""
        frame: dict[str, Any] = {"type": "error", "code": self.code.value, "message": self.message}
        echoed = {"details": self.details, "job_id": job_id, "request_id": request_id}
        return frame | {key: value for key, value in echoed.items() if value is not None}
