"""Visitors of share links: what the engine's owner signed, verified here and not believed from any gateway."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core_engine.access.control import AccessControl
from shared.clock import Clock
from shared.contract.base import Role
from shared.contract.share_link import RelayShare, ShareLevel, check_visit
from shared.errors import ErrorCode, FloworkError
from shared.signing.link_grants import LinkGrant, verify_link


@dataclass(frozen=True, slots=True)
class Visit:
    """A link that held when it was presented; it opens one preset and nothing else of the engine."""

    grant: LinkGrant

    @property
    def preset(self) -> str:
        """The one preset."""
        return self.grant.preset

    @property
    def role(self) -> Role:
        """As what the visitor's commands are carried out, which `check` narrows to the preset."""
        return Role.READER if self.grant.level is ShareLevel.VIEW else Role.RUNNER

    def check(self, command: str, payload: Mapping[str, Any]) -> None:
        """Raise FORBIDDEN unless the link allows the command."""
        check_visit(self.grant.level, self.preset, command, payload)


class ShareLinks:
    """Judges the links that the gateway passes on with visitors' commands."""

    def __init__(self, access: AccessControl, engine_id: str, clock: Clock) -> None:
        self._access = access
        self._engine_id = engine_id
        self._clock = clock

    def admit(self, share: RelayShare) -> Visit:
        """Return what a link allows; raises as `verify_link`, and FORBIDDEN on an engine without an owner."""
        owner = self._access.owner
        if owner is None:
            raise FloworkError(
                ErrorCode.FORBIDDEN, "This engine has no owner yet; nobody can have shared it."
            )
        grant = verify_link(
            share.text,
            share.signature,
            token=share.token,
            engine_id=self._engine_id,
            owner=owner,
            highest_epoch=self._access.epoch,
            now_ms=self._clock.now_ms(),
        )
        return Visit(grant)

    def still(self, share: RelayShare | None) -> Visit | None:
        """Return what a link allows now, None where that is nothing."""
        try:
            return None if share is None else self.admit(share)
        except FloworkError:
            return None
