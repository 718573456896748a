"""By what right identities are told things on one connection: what each had when it last spoke there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.contract.base import Role
from shared.signing.link_grants import LinkGrant

MAX_IDENTITIES = 16


@dataclass(slots=True)
class Ground:
    """What one identity had: the highest role it spoke with, and the share links by which it visited.

    ``until_ms`` is when the last delegation ends by which session keys spoke for it; None once the wallet itself did.
    """

    until_ms: int | None
    role: Role | None = None
    links: set[LinkGrant] = field(default_factory=set)

    def add(self, until_ms: int | None, role: Role | None, link: LinkGrant | None) -> None:
        """Take in one more message of the identity."""
        if self.until_ms is not None:
            self.until_ms = None if until_ms is None else max(self.until_ms, until_ms)
        if role is not None and (self.role is None or role > self.role):
            self.role = role
        if link is not None:
            self.links.add(link)


class Standing:
    """The identities that proved themselves on a connection, up to a bound; addresses are in lower case."""

    def __init__(self) -> None:
        self._grounds: dict[str, Ground] = {}

    @property
    def grounds(self) -> Mapping[str, Ground]:
        """What each identity had, by its address."""
        return self._grounds

    def admit(
        self, address: str, until_ms: int | None, *, role: Role | None = None, link: LinkGrant | None = None
    ) -> bool:
        """Remember by what right an identity spoke; False when there are too many on one connection."""
        ground = self._grounds.get(address)
        if ground is None:
            if len(self._grounds) >= MAX_IDENTITIES:
                return False
            ground = self._grounds[address] = Ground(until_ms)
        ground.add(until_ms, role, link)
        return True
