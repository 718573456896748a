"""The secret that gateway and engine share in production (`GATEWAY_SECRET_TOKEN`)."""

from __future__ import annotations

import hmac

from shared.errors import ErrorCode, FloworkError


class ServiceKey:
    """Admits those who present the secret; everybody, where none is set."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    @property
    def is_set(self) -> bool:
        """Whether there is a secret."""
        return bool(self._secret)

    def admits(self, presented: str) -> bool:
        """Tell, in constant time, whether the right secret was presented or none is needed."""
        return not self._secret or hmac.compare_digest(self._secret, presented.encode(errors="replace"))

    def require(self, presented: str) -> None:
        """Raise UNAUTHENTICATED unless the secret is set and was presented."""
        if not self._secret or not self.admits(presented):
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "API Key is missing or invalid.")
