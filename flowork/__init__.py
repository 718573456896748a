"""The command line and the Python client of the platform: ``from flowork import Client, WalletKey``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowork.client import Client
    from shared.signing.keys import WalletKey

__all__ = ["Client", "WalletKey"]


def __getattr__(name: str) -> Any:
    """Load the client when it is asked for: the command line starts faster without it."""
    if name == "Client":
        from flowork.client import Client  # noqa: PLC0415 - see above

        return Client
    if name == "WalletKey":
        from shared.signing.keys import WalletKey  # noqa: PLC0415 - see above

        return WalletKey
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
