"""Grants that come with a share: checked here to spare a mistake its way, believed by the engine alone."""

from __future__ import annotations

import json

from gateway.resources.engine_shares.queries import ShareRow
from shared.contract.base import Role
from shared.contract.engine import GuestGrant
from shared.contract.sharing import SignedWord
from shared.errors import ErrorCode, FloworkError
from shared.ids import same_address
from shared.signing.grants import Grant, SignedGrant, grant_text, read_grant_text, verify_grant

YEAR_MS = 365 * 24 * 60 * 60 * 1000


def proposed_text(row: ShareRow, epoch: int, now_ms: int) -> str:
    """Return the grant that an owner would sign for a share today; it ends after a year."""
    return grant_text(Grant(row.engine_id, row.guest, Role[row.role.upper()], epoch, now_ms + YEAR_MS))


def read_share_grant(  # noqa: PLR0913 - everything that a grant is judged by
    word: SignedWord, *, engine_id: str, owner: str, guest: str, role: str, now_ms: int
) -> SignedGrant:
    """Return the grant that an owner signed for this very share.

    Raises INVALID_REQUEST where it says something else than the share, BAD_SIGNATURE where the owner did not sign it.
    """
    signed = SignedGrant(read_grant_text(word.text), word.signature)
    grant = signed.grant
    same = same_address(grant.guest, guest) and grant.role is Role[role.upper()] and grant.preset is None
    if grant.engine != engine_id or not same:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The grant is for another engine, guest, role or a single preset."
        )
    try:
        verify_grant(signed, engine_id=engine_id, owner=owner, highest_epoch=0, now_ms=now_ms)
    except FloworkError as error:
        if error.code is not ErrorCode.STALE:
            raise
        raise FloworkError(ErrorCode.INVALID_REQUEST, error.message) from error
    return signed


def as_stored(signed: SignedGrant) -> str:
    """Return a grant as the table keeps it."""
    return json.dumps(signed.as_wire())


def stored_grant(row: ShareRow) -> GuestGrant | None:
    """Return the grant of a share."""
    return GuestGrant.model_validate_json(row.signed_grant) if row.signed_grant else None


def needs_grant(row: ShareRow, now_ms: int) -> bool:
    """Tell whether the engine will hold the guest to less than the share says.

    A reader needs no signature. A grant of an epoch below the newest one counts for nothing any more.
    """
    grant = stored_grant(row)
    return row.role != "reader" and (grant is None or grant.exp <= now_ms)
