"""What a wallet's session key may do, and what the wallet itself is asked for each time.

Sharing, secrets, deleting, installing and money need the wallet: what is given away there outlasts the session.
"""

from __future__ import annotations

from shared.contract.base import Auth, Operation

WALLET_COMMANDS = frozenset(
    {
        "delete_preset",
        "delete_trigger",
        "delete_variable",
        "install_component",
        "save_trigger",
        "uninstall_component",
        "update_variable",
    }
)
"""Commands to an engine that a session key may not send."""

_RUNS = frozenset({"run_preset", "stop_run", "pause_run", "resume_run"})
_LINKS = frozenset({"create_share_link", "change_share_link", "delete_share_link"})  # nothing opens unsigned
_OWN_STATE = frozenset(
    {
        "logout",
        "patch_preferences",
        "put_active_widgets",
        "put_favorite_components",
        "put_favorite_presets",
        "vote",
    }
)


def session_scope(operation: Operation) -> str | None:
    """Return the scope that a session key needs for a REST operation; None where only the wallet may ask."""
    if operation.auth is not Auth.WALLET or operation.tag == "admin":
        return None
    if operation.name in _RUNS:
        return "run"
    if operation.name in _LINKS:
        return "admin"
    return "read" if operation.method == "GET" or operation.name in _OWN_STATE else None
