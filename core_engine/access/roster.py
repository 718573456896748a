"""The guests of an engine: the gateway's list and the owner's grants, as pure data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address
from shared.signing.grants import Grant, SignedGrant, read_grant, select_grants

Trust = Literal["grants", "list"]
MAX_GUESTS = 10_000


@dataclass(frozen=True, slots=True)
class GuestList:
    """What the gateway says: the addresses that may use the engine (lower case) and grants, not yet verified.

    It comes as the documented array of addresses, or as ``{"addresses": […], "grants": […]}``.
    """

    addresses: frozenset[str] = frozenset()
    grants: tuple[SignedGrant, ...] = ()

    @classmethod
    def read(cls, value: Any) -> GuestList:
        """Read the gateway's answer; raises INVALID_REQUEST and never guesses."""
        grants: Any = []
        if isinstance(value, Mapping):
            value, grants = value.get("addresses"), value.get("grants", [])
        if not isinstance(value, list) or not isinstance(grants, list):
            raise _malformed("it is no list")
        if len(value) > MAX_GUESTS or len(grants) > MAX_GUESTS:
            raise _malformed(f"it names more than {MAX_GUESTS} guests")
        if not all(isinstance(item, str) and is_address(item) for item in value):
            raise _malformed("a member is no address")
        return cls(frozenset(item.lower() for item in value), tuple(read_grant(item) for item in grants))

    def to_wire(self) -> dict[str, Any]:
        """Return the list as `read` takes it, to be kept for times without a gateway."""
        return {"addresses": sorted(self.addresses), "grants": [grant.as_wire() for grant in self.grants]}


@dataclass(frozen=True, slots=True)
class Roster:
    """The guests and what each may do; ``epoch`` is the highest share epoch ever seen.

    ``grants`` are those that hold, by the guest's address in lower case. ``ended`` are the digests, with their expiry
    in Unix ms, of grants that were in force and taken away again. They never count again, whoever brings them: a
    gateway that was restored from an old backup, or taken over.
    """

    guests: GuestList = field(default_factory=GuestList)
    grants: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)
    epoch: int = 0
    ended: Mapping[str, int] = field(default_factory=dict)

    def updated(self, guests: GuestList, *, engine_id: str, owner: str, now_ms: int) -> Roster:
        """Return the roster after a new list; grants count only if the owner signed them for this engine."""
        if not owner:
            return Roster(guests, {}, self.epoch, self.ended)
        ended = self._ended_by(guests, now_ms)
        chosen = select_grants(
            (signed for signed in guests.grants if digest(signed.grant) not in ended),
            engine_id=engine_id, owner=owner, highest_epoch=self.epoch, now_ms=now_ms,
        )  # fmt: skip
        grants: dict[str, list[Grant]] = {}
        for grant in chosen.grants:
            if grant.guest.lower() in guests.addresses:
                grants.setdefault(grant.guest.lower(), []).append(grant)
        return Roster(guests, {guest: tuple(held) for guest, held in grants.items()}, chosen.epoch, ended)

    def _ended_by(self, guests: GuestList, now_ms: int) -> dict[str, int]:
        """Return the digests of ended grants: those known, and those in force that the list has no more."""
        offered = {
            digest(signed.grant) for signed in guests.grants if signed.grant.guest.lower() in guests.addresses
        }
        held = (grant for grants in self.grants.values() for grant in grants)
        taken = {key: grant.exp for grant in held if (key := digest(grant)) not in offered}
        return {key: exp for key, exp in {**self.ended, **taken}.items() if exp > now_ms}

    def role_of(self, address: str, *, trust: Trust, now_ms: int) -> Role | None:
        """Return a guest's role; None for whom the gateway does not list (any more)."""
        if address not in self.guests.addresses:
            return None
        listed = Role.RUNNER if trust == "list" else Role.READER
        # A grant for one preset says nothing about the rest of the engine.
        given = (
            grant.role
            for grant in self.grants.get(address, ())
            if grant.preset is None and grant.exp > now_ms
        )
        return max((listed, *given))


def digest(grant: Grant) -> str:
    """Return what tells one grant from every other."""
    parts = (grant.engine, grant.guest.lower(), grant.role.name, repr(grant.preset), grant.epoch, grant.exp)
    return hashlib.sha256("\n".join(map(str, parts)).encode(errors="surrogatepass")).hexdigest()


def _malformed(problem: str) -> FloworkError:
    return FloworkError(
        ErrorCode.INVALID_REQUEST, f"The gateway's list of addresses is malformed: {problem}."
    )
