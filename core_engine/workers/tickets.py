"""Tickets: what a message to workers says. It names a claim and proves who made it; it holds no data and no secret."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import ErrorCode, FloworkError

TICKET_SECONDS = 3600
LONGEST_TICKET = 2048
_NONCE_BYTES = 12
_MAC_BYTES = 32
_SHORTEST_SECRET = 32


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """A hint that a step waits; ``expires`` is Unix seconds, ``trace`` a ``traceparent`` where traces are made."""

    claim: str
    run: str
    node: str
    attempt: int
    expires: int
    trace: str = ""


class Seals:
    """What an engine and its workers can make and read, and nobody who only sees the broker or the database."""

    def __init__(self, secret: str, engine_id: str) -> None:
        """Derive the keys; raises CONFIGURATION for a secret that could be guessed."""
        if len(secret) < _SHORTEST_SECRET:
            message = f"ENGINE_WORKER_SECRET must have at least {_SHORTEST_SECRET} characters; `flowork env` makes one."
            raise FloworkError(ErrorCode.CONFIGURATION, message)
        self._ticket_key = _derive(secret, f"ticket 1\n{engine_id}")
        self._cipher = AESGCM(_derive(secret, f"step 1\n{engine_id}"))

    def sign(self, ticket: Ticket) -> str:
        """Return the ticket as text."""
        body = msgspec.json.encode(ticket)
        return base64.b64encode(self._mac(body) + body).decode("ascii")

    def read(self, text: object, now: float) -> Ticket | None:
        """Return the ticket of a message; None for one that is not ours, was changed, or is too old."""
        if not isinstance(text, str) or len(text) > LONGEST_TICKET:
            return None
        try:
            raw = base64.b64decode(text, validate=True)
            mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not hmac.compare_digest(mac, self._mac(body)):
                return None
            ticket = msgspec.json.decode(body, type=Ticket)
        except (binascii.Error, ValueError, msgspec.MsgspecError):
            return None
        return ticket if ticket.expires >= now else None

    def seal(self, content: bytes, claim: str, kind: str) -> bytes:
        """Encrypt what stands in the database for one claim; ``kind`` says what it is."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, _place(claim, kind))

    def open(self, sealed: bytes, claim: str, kind: str) -> bytes:
        """Decrypt; raises JOURNAL_CORRUPT for what was changed, moved, or sealed with another secret."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _place(claim, kind))
        except (InvalidTag, ValueError) as error:
            message = (
                "A step's data cannot be opened: engine and worker have different ENGINE_WORKER_SECRETs."
            )
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message) from error

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._ticket_key, body, hashlib.sha256).digest()


def _derive(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"flowork worker {purpose}".encode(), hashlib.sha256).digest()


def _place(claim: str, kind: str) -> bytes:
    return f"{claim}\n{kind}".encode()
