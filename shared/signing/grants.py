"""Grants: an owner's signed word on what a guest may do, which the engine verifies without trusting the gateway."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from shared.clock import iso, read_iso
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address, same_address
from shared.signing.keys import Signer, checksum_address
from shared.signing.recover import recover_text

ALL_PRESETS = "*"
_LAST = 2**53
_TEXT = re.compile(
    r"Flowork grant, version 1\nEngine: (?P<engine>[^\n]{1,64})\nGuest: (?P<guest>0x[0-9a-fA-F]{40})\n"
    r"Role: (?P<role>reader|runner|admin)\nPreset: (?P<preset>\*|\"[^\n]{0,1500}\")\n"
    r"Epoch: (?P<epoch>[0-9]{1,16})\nExpires: (?P<exp>[0-9TZ:.-]{24})"
)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a guest may do on an engine.

    ``preset`` limits it to one preset (None: all of them); ``epoch`` is the engine's share epoch, which the owner
    raises to revoke; ``exp`` is Unix ms. An owner cannot grant ownership.
    """

    engine: str
    guest: str
    role: Role
    epoch: int
    exp: int
    preset: str | None = None


@dataclass(frozen=True, slots=True)
class SignedGrant:
    """A grant and its owner's signature, as the gateway keeps it and passes it on."""

    grant: Grant
    signature: str

    def as_wire(self) -> dict[str, Any]:
        """Return the JSON object ``{engine, guest, role, preset, epoch, exp, signature}``."""
        grant = self.grant
        return {
            "engine": grant.engine,
            "guest": grant.guest,
            "role": grant.role.name.lower(),
            "preset": grant.preset,
            "epoch": grant.epoch,
            "exp": grant.exp,
            "signature": self.signature,
        }


@dataclass(frozen=True, slots=True)
class SignedEpoch:
    """An owner's word that every grant of an earlier epoch has ended; it revokes also where no guest is left."""

    engine: str
    epoch: int
    signature: str


@dataclass(frozen=True, slots=True)
class GrantList:
    """The grants that hold, and the epoch the engine must remember from now on."""

    grants: tuple[Grant, ...]
    epoch: int


class _WireGrant(msgspec.Struct):
    engine: str
    guest: str
    role: Literal["reader", "runner", "admin"]
    epoch: int
    exp: int
    signature: str
    preset: str | None = None


def grant_text(grant: Grant) -> str:
    """Return the text an owner signs for a grant; raises INVALID_REQUEST for one that cannot be given.

    A preset's name stands in it as an ASCII JSON string: characters that look alike, or that turn the
    reading direction, are shown by their code points and no name can add a line.
    """
    if not is_address(grant.guest) or grant.role not in {Role.READER, Role.RUNNER, Role.ADMIN}:
        raise _impossible("it needs a guest's address and the role reader, runner or admin")
    if not (0 < grant.epoch <= _LAST and 0 < grant.exp < 253_402_300_800_000):
        raise _impossible("its epoch or its expiry is out of range")
    if not grant.engine.isascii() or not grant.engine.isprintable():
        raise _impossible("its engine id is malformed")
    return "\n".join(
        (
            "Flowork grant, version 1",
            f"Engine: {grant.engine}",
            f"Guest: {checksum_address(grant.guest)}",
            f"Role: {grant.role.name.lower()}",
            f"Preset: {ALL_PRESETS if grant.preset is None else json.dumps(grant.preset)}",
            f"Epoch: {grant.epoch}",
            f"Expires: {iso(grant.exp)}",
        )
    )


def read_grant_text(text: str) -> Grant:
    """Return the grant that a text of `grant_text` stands for; raises INVALID_REQUEST for any other text."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise _impossible("its text is not of the agreed form")
    preset = found["preset"]
    try:
        exp = read_iso(found["exp"])
        name = None if preset == ALL_PRESETS else json.loads(preset)
        role = Role[found["role"].upper()]
        grant = Grant(found["engine"], found["guest"], role, int(found["epoch"]), exp, name)
    except (ValueError, KeyError) as error:
        raise _impossible("its text is not of the agreed form") from error
    if grant_text(grant) != text:
        raise _impossible("its text is not of the agreed form")
    return grant


def epoch_text(engine_id: str, epoch: int) -> str:
    """Return the text an owner signs to end every grant of an earlier epoch."""
    return f"Flowork share epoch, version 1\nEngine: {engine_id}\nEpoch: {epoch}"


def sign_grant(signer: Signer, grant: Grant) -> SignedGrant:
    """Have the owner sign a grant."""
    return SignedGrant(grant, signer.sign_text(grant_text(grant)))


def sign_epoch(signer: Signer, engine_id: str, epoch: int) -> SignedEpoch:
    """Have the owner raise an engine's share epoch."""
    return SignedEpoch(engine_id, epoch, signer.sign_text(epoch_text(engine_id, epoch)))


def read_grant(wire: Any) -> SignedGrant:
    """Return the signed grant a JSON object holds, unjudged; raises INVALID_REQUEST."""
    try:
        item = msgspec.convert(wire, _WireGrant)
    except msgspec.ValidationError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"This is not a grant: {error}") from error
    role = Role[item.role.upper()]
    return SignedGrant(
        Grant(item.engine, item.guest, role, item.epoch, item.exp, item.preset), item.signature
    )


def verify_grant(
    signed: SignedGrant, *, engine_id: str, owner: str, highest_epoch: int, now_ms: int
) -> Grant:
    """Return a grant that holds on this engine; the caller then remembers its epoch if it is a higher one.

    ``owner`` is the pinned owner, ``highest_epoch`` the highest epoch ever seen. Raises UNAUTHENTICATED (another
    engine), BAD_SIGNATURE (not the owner's), FORBIDDEN (revoked by a higher epoch) or STALE (expired).
    """
    _check_owner(signed, engine_id=engine_id, owner=owner)
    if signed.grant.epoch < highest_epoch:
        raise FloworkError(ErrorCode.FORBIDDEN, "The grant was revoked.")
    if signed.grant.exp <= now_ms:
        raise FloworkError(ErrorCode.STALE, "The grant has expired.")
    return signed.grant


def verify_epoch(signed: SignedEpoch, *, engine_id: str, owner: str) -> int:
    """Return an epoch that the pinned owner signed for this engine; remember the highest. Raises as `verify_grant`."""
    if signed.engine != engine_id:
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "The epoch was signed for another engine.")
    if not same_address(recover_text(epoch_text(engine_id, signed.epoch), signed.signature), owner):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "The epoch was not signed by the engine's owner.")
    return signed.epoch


def select_grants(
    offered: Iterable[SignedGrant], *, engine_id: str, owner: str, highest_epoch: int, now_ms: int
) -> GrantList:
    """Return those of the gateway's grants that hold, and the new highest epoch; the others are left out.

    One grant of a higher epoch ends all of a lower one, in whatever order they come.
    """
    genuine = [signed.grant for signed in offered if _is_genuine(signed, engine_id=engine_id, owner=owner)]
    epoch = max((grant.epoch for grant in genuine), default=0)
    epoch = max(epoch, highest_epoch)
    return GrantList(tuple(grant for grant in genuine if grant.epoch == epoch and grant.exp > now_ms), epoch)


def _is_genuine(signed: SignedGrant, *, engine_id: str, owner: str) -> bool:
    try:
        _check_owner(signed, engine_id=engine_id, owner=owner)
    except FloworkError:
        return False
    return True


def _check_owner(signed: SignedGrant, *, engine_id: str, owner: str) -> None:
    if signed.grant.engine != engine_id:
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "The grant is for another engine.")
    if not same_address(recover_text(grant_text(signed.grant), signed.signature), owner):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "The grant was not signed by the engine's owner.")


def _impossible(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.INVALID_REQUEST, f"This grant cannot be given: {problem}.")
