"""What can be done with profiles."""

from __future__ import annotations

from typing import Any

from gateway.chain.names import SUFFIX, Names
from gateway.db import audit
from gateway.db.database import Database
from gateway.resources.accounts import queries
from gateway.resources.accounts.queries import UserRow
from gateway.resources.accounts.service import register, resolve, without_name
from shared.clock import Clock
from shared.contract.profile import OwnProfile, ProfileBody, PublicProfile
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address


class Profiles:
    """The use cases of profiles; addresses are in lower case."""

    def __init__(self, database: Database, clock: Clock, names: Names) -> None:
        self._database = database
        self._clock = clock
        self._names = names

    def change(self, address: str, body: ProfileBody) -> OwnProfile:
        """Change what the body names; raises CONFLICT for a name that somebody else has or may have elsewhere."""
        if body.name is not None and body.name.lower().endswith(SUFFIX):
            raise FloworkError(ErrorCode.CONFLICT, f"Names that end in {SUFFIX} are given by ENS, not here.")
        register(self._database, self._clock, address)
        values: dict[str, Any] = body.model_dump(include={"bio", "avatar"}, exclude_none=True)
        if body.name is not None:
            values["username"] = body.name
        with self._database.write() as connection:
            if values and not queries.change(connection, address, values):
                raise FloworkError(ErrorCode.CONFLICT, "Somebody else has this name.")
            audit.record(connection, address, "profile_change", address, self._clock.now_ms())
            user = queries.find(connection, address)
        if user is None:
            raise _unknown()
        return OwnProfile(
            name=user.username,
            email=user.email,
            address=checksum_address(address),
            bio=user.bio or "",
            avatar=user.avatar or "",
        )

    def public(self, identifier: str) -> PublicProfile:
        """Return what everybody may see of a user; raises NOT_FOUND."""
        identifier = without_name(self._names, identifier)
        with self._database.read() as connection:
            address = resolve(connection, identifier)
            user: UserRow | None = queries.find(connection, address) if address else None
        if user is None:
            raise _unknown()
        return PublicProfile(
            address=checksum_address(user.address),
            name=user.username,
            bio=user.bio or "",
            avatar=user.avatar or "",
        )


def _unknown() -> FloworkError:
    return FloworkError(ErrorCode.NOT_FOUND, "There is no such user.")
