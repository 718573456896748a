"""The grammar that all signed request texts share: addresses, times, purposes, nonces (protocol §2.3-2.5)."""

from __future__ import annotations

import re
import secrets

from shared.errors import ErrorCode, FloworkError
from shared.ids import same_address

WINDOW_MS = 600_000
"""The whole width of accepted signed times: 300 s on each side of now."""

MAX_TEXT = 1024
SOCKET_AUTH = "flowork_socket_auth"
API_AUTH = "flowork_api_auth"
SOCKET_BOUND = "flowork_engine"
API_BOUND = "flowork_api"

NONCE = r"[0-9a-f]{32,64}"
MILLISECONDS = r"[0-9]{13}"
SHA256 = r"[0-9a-f]{64}"

_TIME = re.compile(r"[0-9]{1,20}")
_FIRST_MS = 100_000_000_000  # as seconds this would be the year 5138, as milliseconds 1973


def new_nonce() -> str:
    """Return 128 random bits in hex."""
    return secrets.token_hex(16)


def bad_format() -> FloworkError:
    """Return the documented refusal of a text that cannot be read."""
    return FloworkError(ErrorCode.UNAUTHENTICATED, "Invalid authentication message format.")


def read_time(field: str) -> int:
    """Return a Unix time, given in s or ms, as ms; only ASCII digits count. Raises UNAUTHENTICATED."""
    if _TIME.fullmatch(field) is None:
        raise bad_format()
    number = int(field)
    return number if number >= _FIRST_MS else number * 1000


def check_fresh(at_ms: int, now_ms: int, *, max_age_ms: int = WINDOW_MS // 2) -> None:
    """Raise STALE unless the signed time is at most ``max_age_ms`` old and at most 300 s ahead."""
    if not now_ms - max_age_ms <= at_ms <= now_ms + WINDOW_MS // 2:
        raise FloworkError(ErrorCode.STALE, "Stale authentication signature.")


def documented_time(message: str, address: str, purposes: frozenset[str], *, free: bool) -> int:
    """Return the time, in ms, of a text in a documented form.

    A text of ours (``flowork_…``) must have one of the ``purposes`` as its prefix, three fields and the claimed
    address; what was signed for something else is never a proof here. If ``free`` is set, any other text of one line is
    accepted whose last ``|`` field, or whole, is a time. Raises UNAUTHENTICATED.
    """
    fields = message.split("|")
    if fields[0] in purposes:
        if len(fields) != 3:
            raise bad_format()
        check_claimed(fields[1], address)
    # Texts of several lines are documents that a wallet signed: sign-in texts, grants. Never requests.
    elif not free or message.lower().startswith("flowork_") or len(message.splitlines()) != 1:
        raise FloworkError(
            ErrorCode.UNAUTHENTICATED,
            "Invalid authentication message format: the text was made for another purpose.",
        )
    return read_time(fields[-1])


def check_claimed(named: str, claimed: str) -> None:
    """Raise UNAUTHENTICATED unless a text names the address that is claimed beside it."""
    if not same_address(named, claimed):
        raise FloworkError(
            ErrorCode.UNAUTHENTICATED, "The signed message names another address than the one claimed."
        )
