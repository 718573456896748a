"""Who administers the gateway: the addresses of `GATEWAY_ADMINS`."""

from __future__ import annotations

from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address


class Admins:
    """Knows the administrators. ``listed`` is comma-separated; raises CONFIGURATION for what is no address."""

    def __init__(self, listed: str) -> None:
        names = [part.strip() for part in listed.split(",") if part.strip()]
        wrong = [name for name in names if not is_address(name)]
        if wrong:
            raise FloworkError(ErrorCode.CONFIGURATION, f"GATEWAY_ADMINS: {wrong[0]!r} is not an address.")
        self._addresses = frozenset(name.lower() for name in names)

    def include(self, address: str) -> bool:
        """Tell whether an address in lower case is an administrator's."""
        return address in self._addresses
