"""Share links as an engine's owner signs them, so that no gateway can invent one or stretch one (protocol §1.3)."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass

from shared.clock import iso, read_iso
from shared.contract.share_link import ShareLevel
from shared.errors import ErrorCode, FloworkError
from shared.ids import same_address
from shared.signing.keys import Signer
from shared.signing.recover import recover_text

NEVER = "never"
_LAST = 2**53
_TEXT = re.compile(
    r"Flowork share link, version 1\nEngine: (?P<engine>[^\n]{1,64})\nPreset: (?P<preset>\"[^\n]{1,1500}\")\n"
    r"Level: (?P<level>[a-z-]{4,13})\nToken: (?P<token>[0-9a-f]{64})\nEpoch: (?P<epoch>[0-9]{1,16})\n"
    r"Expires: (?P<exp>never|[0-9TZ:.-]{24})"
)


@dataclass(frozen=True, slots=True)
class LinkGrant:
    """What a link allows: one preset of one engine, up to a level.

    ``token_hash`` is the hex SHA-256 of the link's token, ``epoch`` the engine's share epoch, which the owner raises
    to revoke, ``exp`` Unix ms or None.
    """

    engine: str
    preset: str
    level: ShareLevel
    token_hash: str
    epoch: int
    exp: int | None


def hash_link_token(token: str) -> str:
    """Return the hex SHA-256 of a link's token; it has 192 random bits, so that is enough."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def link_text(grant: LinkGrant) -> str:
    """Return the text an owner signs for a link; raises INVALID_REQUEST for one that cannot be given.

    The preset's name stands in it as an ASCII JSON string, so that no name can add a line.
    """
    if not grant.engine.isascii() or not grant.engine.isprintable() or not 0 < grant.epoch <= _LAST:
        raise _impossible()
    return "\n".join(
        (
            "Flowork share link, version 1",
            f"Engine: {grant.engine}",
            f"Preset: {json.dumps(grant.preset)}",
            f"Level: {grant.level.value}",
            f"Token: {grant.token_hash}",
            f"Epoch: {grant.epoch}",
            f"Expires: {NEVER if grant.exp is None else iso(grant.exp)}",
        )
    )


def sign_link(signer: Signer, grant: LinkGrant) -> str:
    """Have the owner sign a link."""
    return signer.sign_text(link_text(grant))


def read_link_text(text: str) -> LinkGrant:
    """Return the link that a text of `link_text` stands for; raises INVALID_REQUEST for any other text."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise _impossible()
    try:
        preset, level = json.loads(found["preset"]), ShareLevel(found["level"])
        exp = None if found["exp"] == NEVER else read_iso(found["exp"])
    except ValueError as error:
        raise _impossible() from error
    grant = LinkGrant(found["engine"], preset, level, found["token"], int(found["epoch"]), exp)
    if not isinstance(preset, str) or link_text(grant) != text:
        raise _impossible()
    return grant


def verify_link(  # noqa: PLR0913 - everything that a link is judged by
    text: str, signature: str, *, token: str, engine_id: str, owner: str, highest_epoch: int, now_ms: int
) -> LinkGrant:
    """Return a link that holds on this engine for whoever presents its token.

    Raises INVALID_REQUEST (no such text), UNAUTHENTICATED (another engine or token), BAD_SIGNATURE (not the owner's),
    FORBIDDEN (revoked by a higher epoch) or STALE (expired).
    """
    grant = read_link_text(text)
    if grant.engine != engine_id:
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "The share link is for another engine.")
    if not hmac.compare_digest(grant.token_hash, hash_link_token(token)):
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "The share link's token is another one.")
    if not same_address(recover_text(text, signature), owner):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "The share link was not signed by the engine's owner.")
    if grant.epoch < highest_epoch:
        raise FloworkError(ErrorCode.FORBIDDEN, "The share link was revoked.")
    if grant.exp is not None and grant.exp <= now_ms:
        raise FloworkError(ErrorCode.STALE, "The share link has expired.")
    return grant


def _impossible() -> FloworkError:
    return FloworkError(ErrorCode.INVALID_REQUEST, "This is not the text of a share link.")
