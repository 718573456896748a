"""The engine's own word for a version: which preset, number and predecessor it was saved with, signed (Ed25519)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.errors import FloworkError
from shared.signing.presets import canonical_json

_PURPOSE = b"flowork-preset-version|"


class EngineKey:
    """The key pair of an engine, made from the 32 secret bytes of its key file."""

    def __init__(self, secret: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(secret)
        self._public = self._private.public_key()
        self.public = self._public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    def attest(self, statement: Mapping[str, Any]) -> bytes:
        """Return the statement with its signature and the public key, as JSON."""
        text = canonical_json(statement)
        signature = self._private.sign(_PURPOSE + text.encode()).hex()
        return canonical_json({"key": self.public, "signature": signature, "statement": statement}).encode()

    def statement(self, attestation: bytes) -> dict[str, Any] | None:
        """Return what an attestation states, or None when this key did not sign it."""
        try:
            document = msgspec.json.decode(attestation, type=dict[str, Any])
            statement, signature = document["statement"], bytes.fromhex(document["signature"])
            self._public.verify(signature, _PURPOSE + canonical_json(statement).encode())
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, InvalidSignature, FloworkError):
            return None
        return statement if isinstance(statement, dict) else None
