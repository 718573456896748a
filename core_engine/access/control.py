"""Says which role an address has on this engine; the owner is pinned here, whatever a gateway says."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from core_engine.access.roster import GuestList, Roster, Trust
from core_engine.access.standing import Ground, Standing
from shared.clock import Clock
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address
from shared.signing.claims import verify_claim

_log = logging.getLogger(__name__)

OWNER_KEY = "access.owner"
GUESTS_KEY = "access.guests"


class Memory(Protocol):
    """Small values that survive a crash."""

    def get(self, key: str) -> bytes | None:
        """Return a value, or None."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Store a value; on return it is on the disk."""
        ...


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """What the settings say; ``owner_address`` and ``claim_code`` are empty where not set."""

    engine_id: str
    owner_address: str
    claim_code: str
    trust: Trust


class AccessControl:
    """The roles of this engine. `load` it before use; all addresses it is asked about are in lower case."""

    def __init__(self, policy: AccessPolicy, memory: Memory, clock: Clock) -> None:
        self._policy = policy
        self._memory = memory
        self._clock = clock
        self._owner = ""
        self._burnt = ""
        self._roster = Roster()
        self._lock = asyncio.Lock()
        self._listeners: list[Callable[[], None]] = []

    async def load(self) -> None:
        """Take up what an earlier process pinned and learnt; an owner given in the settings is pinned now.

        Raises JOURNAL_CORRUPT where the stored values cannot be read: better closed than open to the wrong one.
        """
        pinned, known = self._stored(OWNER_KEY), self._stored(GUESTS_KEY)
        self._owner, self._burnt = pinned.get("owner", ""), pinned.get("burnt", "")
        given = self._policy.owner_address.lower()
        if given and given != self._owner:
            if self._owner:
                _log.warning(
                    "FLOWORK_OWNER_ADDRESS replaces the owner", extra={"owner": given, "before": self._owner}
                )
            await self._pin(given, self._burnt)
        if known:
            guests = _guests(known)
            self._roster = self._merged(guests, Roster(epoch=known["epoch"], ended=_ended(known)))

    @property
    def owner(self) -> str | None:
        """The pinned owner in lower case, or None."""
        return self._owner or None

    @property
    def epoch(self) -> int:
        """The highest share epoch that the owner ever signed, as far as this engine knows."""
        return self._roster.epoch

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Call back after every change of who may do what."""
        self._listeners.append(listener)

    def role_of(self, address: str) -> Role | None:
        """Return an address's role; None for a stranger."""
        if self._owner and address == self._owner:
            return Role.OWNER
        return self._roster.role_of(address, trust=self._policy.trust, now_ms=self._clock.now_ms())

    def require_role(self, address: str) -> Role:
        """Return an address's role; raises FORBIDDEN for a stranger."""
        role = self.role_of(address)
        if role is not None:
            return role
        if not self._owner:
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                "This engine has no owner yet; open its claim link or set FLOWORK_OWNER_ADDRESS.",
            )
        raise FloworkError(ErrorCode.FORBIDDEN, "This identity has no role on this engine.")

    def ended(self, standing: Standing) -> FloworkError | None:
        """Return why a connection may be told nothing more; None while each identity has what it spoke with there.

        STALE where a delegation or share link has expired, FORBIDDEN where access was taken away or made less; the
        details say as ``ended`` which of them it was: delegation, access or link.
        """
        now_ms = self._clock.now_ms()
        reasons = (self._lost(address, ground, now_ms) for address, ground in standing.grounds.items())
        return next(filter(None, reasons), None)

    def _lost(self, address: str, ground: Ground, now_ms: int) -> FloworkError | None:
        if ground.until_ms is not None and ground.until_ms <= now_ms:
            text = "The delegation has expired; sign a new one with the wallet."
            return _end("delegation", ErrorCode.STALE, text)
        if ground.role is not None and (self.role_of(address) or 0) < ground.role:
            return _end("access", ErrorCode.FORBIDDEN, "Access revoked")
        for link in ground.links:
            if link.epoch < self.epoch:
                return _end("link", ErrorCode.FORBIDDEN, "The share link was revoked.")
            if link.exp is not None and link.exp <= now_ms:
                return _end("link", ErrorCode.STALE, "The share link has expired.")
        return None

    async def claim(self, address: str, proof: str) -> None:
        """Make an address the owner of an unowned engine; on return that is on the disk and the code is burnt.

        The same claim again, by the same address, holds: the answer to the first may have been lost. Raises
        CONFLICT for an engine that has an owner, FORBIDDEN for a wrong proof or an engine without a claim code.
        """
        async with self._lock:
            code, address = self._policy.claim_code, address.lower()
            burnt = hashlib.sha256(code.encode()).hexdigest()
            repeated = self._owner == address and self._burnt == burnt
            if self._owner and not repeated:
                raise FloworkError(ErrorCode.CONFLICT, "This engine already has an owner.")
            if not verify_claim(code, address, self._policy.engine_id, proof):
                raise FloworkError(ErrorCode.FORBIDDEN, "The claim is not valid for this engine.")
            if not repeated:
                await self._pin(address, burnt)
                _log.info("the engine was claimed", extra={"owner": address})
        self._changed()

    async def meet_owner(self, address: str | None) -> None:
        """Hear from the gateway whose engine this is.

        Only an engine without owner and without claim code believes it, once: the first contact pins the owner.
        """
        if not address or not is_address(address):
            return
        async with self._lock:
            if self._owner:
                if address.lower() != self._owner:
                    _log.warning(
                        "the gateway names another owner; the pinned one stays",
                        extra={"owner": self._owner, "named": address.lower()},
                    )
                return
            if self._policy.claim_code:
                _log.warning(
                    "the gateway names an owner, but this engine waits for its claim link",
                    extra={"named": address.lower()},
                )
                return
            await self._pin(address.lower(), self._burnt)
            _log.warning("pinned the owner at first contact", extra={"owner": self._owner})
        self._changed()

    async def replace_guests(self, listed: Any) -> None:
        """Take over the gateway's list of addresses; a malformed one changes nothing and raises INVALID_REQUEST."""
        guests = GuestList.read(listed)
        async with self._lock:
            roster = self._merged(guests, self._roster)
            value = {"guests": guests.to_wire(), "epoch": roster.epoch, "ended": dict(roster.ended)}
            if roster != self._roster:
                await self._memory.put(GUESTS_KEY, json.dumps(value).encode())
                self._roster = roster
        self._changed()

    def _merged(self, guests: GuestList, before: Roster) -> Roster:
        return before.updated(
            guests, engine_id=self._policy.engine_id, owner=self._owner, now_ms=self._clock.now_ms()
        )

    async def _pin(self, owner: str, burnt: str) -> None:
        await self._memory.put(OWNER_KEY, json.dumps({"owner": owner, "burnt": burnt}).encode())
        self._owner, self._burnt = owner, burnt
        # Grants that came before the owner was known, or from another one, are judged anew.
        self._roster = self._merged(self._roster.guests, self._roster)

    def _stored(self, key: str) -> dict[str, Any]:
        value = self._memory.get(key)
        try:
            loaded = json.loads(value) if value else {}
        except ValueError as error:
            raise _damaged(key) from error
        if not isinstance(loaded, dict):
            raise _damaged(key)
        return loaded

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()


def _end(what: str, code: ErrorCode, message: str) -> FloworkError:
    return FloworkError(code, message, details={"ended": what})


def _guests(known: dict[str, Any]) -> GuestList:
    if not isinstance(known.get("epoch"), int):
        raise _damaged(GUESTS_KEY)
    try:
        return GuestList.read(known.get("guests"))
    except FloworkError as error:
        raise _damaged(GUESTS_KEY) from error


def _ended(known: dict[str, Any]) -> dict[str, int]:
    ended = known.get("ended", {})
    if not isinstance(ended, dict) or not all(isinstance(exp, int) for exp in ended.values()):
        raise _damaged(GUESTS_KEY)
    return ended


def _damaged(key: str) -> FloworkError:
    return FloworkError(ErrorCode.JOURNAL_CORRUPT, f"The stored value {key} cannot be read.")
