"""OAuth2 tokens for client credentials, kept until shortly before they end."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from core_engine.components.builtin.http_request.config import HttpConfig
from shared.errors import ErrorCode, FloworkError

_MOST_KEPT = 200
_MARGIN_SECONDS = 30.0
_WITHOUT_A_LIFETIME_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class _Kept:
    token: str
    until: float


class TokenCache:
    """Tokens by who asked where for what. Secrets are kept as a checksum only, tokens in memory only."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now = monotonic
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    async def get(self, config: HttpConfig, fetch: Callable[[], Awaitable[Any]]) -> str:
        """Return a token, fetched when none is kept; ``fetch`` gives the token endpoint's parsed answer.

        Raises FloworkError COMPONENT_FAILED when that holds no token.
        """
        key = _key(config)
        kept = self._kept.get(key)
        if kept is not None and kept.until > self._now():
            return kept.token
        answer = await fetch()
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if (
            not isinstance(token, str)
            or not token
            or any(ord(sign) < 33 or ord(sign) > 126 for sign in token)
        ):
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, "The token address answered without an access_token."
            )
        lifetime = answer.get("expires_in")
        if isinstance(lifetime, bool) or not isinstance(lifetime, int | float):
            lifetime = _WITHOUT_A_LIFETIME_SECONDS
        self._kept[key] = _Kept(token, self._now() + lifetime - min(_MARGIN_SECONDS, lifetime / 2))
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return token

    def forget(self, config: HttpConfig) -> None:
        """Drop a token that the server did not take."""
        self._kept.pop(_key(config), None)


def _key(config: HttpConfig) -> str:
    parts = (config.token_url, config.client_id, config.client_secret, config.scope, config.client_in)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
