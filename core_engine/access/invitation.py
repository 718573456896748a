"""The line by which an engine without an owner says, at its start, how it can be claimed."""

from __future__ import annotations

from core_engine.settings import Identity
from shared.settings import reveal


def claim_line(identity: Identity, owner: str | None) -> str | None:
    """Return the line with the one-time link, or None: it has an owner, no code, or no page to point to.

    It is for the start's output and not for the log, which masks it: as long as the engine has no owner,
    whoever reads the line may become it.
    """
    code, page = reveal(identity.claim_code), identity.claim_page.rstrip("/")
    if owner is not None or not code or not page:
        return None
    return f"Claim this engine, once: {page}/#claim={code}&engine={identity.engine_id}"
