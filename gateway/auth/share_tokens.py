"""The tokens of share links: made from a key that the database does not hold, so that a copy of it opens nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from gateway.settings import GatewaySettings
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal

KEY_BYTES = 32
TOKEN_BYTES = 24
_PURPOSE = b"flowork share links, version 1"


class ShareTokens:
    """Tells the token of a link by its id; the database keeps its hash only.

    Gateways that serve the same database need the same key: that of the shared secret, or the same data folder.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def open(cls, settings: GatewaySettings) -> ShareTokens:
        """Take the key from the shared secret, or from a file that is made at the first start; raises CONFIGURATION."""
        secret = reveal(settings.security.service_secret)
        if secret:
            return cls(hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256))
        return cls(_read_or_make(settings.storage.data_dir / "gateway" / "share.key"))

    def token(self, share_id: str) -> str:
        """Return a link's token: 192 bits, safe inside a URL."""
        digest = hmac.digest(self._key, share_id.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:TOKEN_BYTES]).decode()


def _read_or_make(path: Path) -> bytes:
    fresh = path.with_name(f".share.key-{secrets.token_hex(8)}")
    try:
        if not path.exists():
            handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
            _put_first(fresh, path)
        key = path.read_bytes()
    except OSError as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"The key of share links {path} cannot be used: {error.strerror}."
        ) from error
    if len(key) != KEY_BYTES:
        raise FloworkError(ErrorCode.CONFIGURATION, f"The key of share links {path} is damaged.")
    return key


def _put_first(fresh: Path, path: Path) -> None:
    """Give a whole file its name, unless another process was quicker."""
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
