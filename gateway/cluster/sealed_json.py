"""What gateway processes write to each other through Redis: JSON under a seal that takes their shared secret."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from gateway.realtime import wire_json

_PURPOSE = b"flowork gateway events\n"
_SEAL_BYTES = hashlib.sha256().digest_size


class SealedJson:
    """The ``json`` of python-socketio's manager; what was written without the secret is no message.

    A message is the HMAC-SHA-256 of its JSON, and the JSON. Whoever can write to Redis can send an old one again, but
    make none. Without a secret, which production does not allow, everybody can.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(_PURPOSE + secret.encode()).digest()

    def dumps(self, value: Any) -> bytes:
        """Return the message that says this."""
        body = wire_json.dumps(value).encode()
        return self._seal(body) + body

    def loads(self, message: bytes) -> Any:
        """Return what a message says; raises ValueError for one that no process of this gateway wrote."""
        seal, body = message[:_SEAL_BYTES], message[_SEAL_BYTES:]
        if not hmac.compare_digest(seal, self._seal(body)):
            raise ValueError("no process of this gateway wrote this message")
        return wire_json.loads(body)

    def _seal(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")
