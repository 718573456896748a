"""Encrypts secret values (AES-256-GCM); a ciphertext opens only under the name and owner it was made for."""

from __future__ import annotations

import base64
import binascii
import secrets
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core_engine.storage.keyfile import given_key
from shared.errors import ErrorCode, FloworkError

KEY_FILE = "variables.key"
_NONCE_BYTES = 12


def master_key(setting: str, directory: Path) -> bytes:
    """Return the key of ENGINE_MASTER_KEY, or of the key file of the engine's folder where that is empty.

    Raises FloworkError CONFIGURATION for a setting that is not 64 hex digits.
    """
    return given_key(setting, "ENGINE_MASTER_KEY", directory / KEY_FILE)


class ValueCipher:
    """Seals JSON values. Nonces are random: a key may seal about 2**32 values, far beyond what variables need."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, value: Any, owner: str, name: str) -> str:
        """Return the value encrypted, as base64 of nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, msgspec.json.encode(value), _context(owner, name))
        return base64.b64encode(nonce + sealed).decode("ascii")

    def open(self, sealed: str, owner: str, name: str) -> Any:
        """Return the value; raises JOURNAL_CORRUPT when it was changed, moved, or made with another key."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            plain = self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _context(owner, name))
            return msgspec.json.decode(plain)
        except (InvalidTag, binascii.Error, ValueError) as error:
            message = f"The secret variable {name} cannot be decrypted: it was changed, moved or made with another key."
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message) from error


def _context(owner: str, name: str) -> bytes:
    return msgspec.json.encode(["flowork-variable", 1, owner, name])
