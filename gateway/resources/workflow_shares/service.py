"""What can be done with share links. A link of somebody else is answered like one that does not exist."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from gateway.auth.share_tokens import ShareTokens
from gateway.billing.limits import Limits
from gateway.db import audit
from gateway.db.database import Database
from gateway.realtime.engine_calls import EngineCalls
from gateway.realtime.presence import Presence
from gateway.resources.accounts import queries as accounts
from gateway.resources.accounts.service import register
from gateway.resources.engine_shares import queries as shares
from gateway.resources.workflow_shares import queries
from gateway.resources.workflow_shares.queries import LinkRow
from shared.clock import Clock, iso
from shared.contract.base import Role
from shared.contract.share_link import (
    ChangedLink,
    ChangeLinkBody,
    CreatedLink,
    CreateLinkBody,
    ResolvedLink,
    ShareLevel,
    ShareLink,
)
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id, same_address
from shared.signing.keys import checksum_address
from shared.signing.link_grants import LinkGrant, hash_link_token, link_text, read_link_text
from shared.signing.recover import recover_text

MAX_LINKS = 500


class ShareLinks:
    """The use cases of share links; addresses are in lower case."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is wired with
        self,
        database: Database,
        clock: Clock,
        tokens: ShareTokens,
        calls: EngineCalls,
        presence: Presence,
        limits: Limits,
    ) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._calls = calls
        self._presence = presence
        self._limits = limits

    def listing(self, owner: str, preset: str, wanted: str | None, origin: str) -> list[ShareLink]:
        """List the links to a preset of the owner's engine; raises NOT_FOUND, FORBIDDEN or ENGINE_UNAVAILABLE."""
        preset = _spelled(preset)
        engine_id = self._engine_with(owner, preset, wanted)
        with self._database.read() as connection:
            rows = queries.of_preset(connection, owner, engine_id, preset)
            epoch = shares.epoch_of(connection, engine_id)
        now_ms = self._clock.now_ms()
        rows = [row for row in rows if row.expires_ms is None or row.expires_ms > now_ms]
        return [ShareLink(**self._shown(row, origin, epoch)) for row in rows]

    def create(
        self, owner: str, preset: str, body: CreateLinkBody, wanted: str | None, origin: str
    ) -> CreatedLink:
        """Make a link; it ends at the latest when the plan's retention does.

        Raises as `listing`, CONFLICT at the limit, INVALID_REQUEST for an end in the past, PAYMENT_REQUIRED for one
        that the plan does not allow.
        """
        preset, now_ms = _spelled(preset), self._clock.now_ms()
        expires_ms = round(body.expires_at.timestamp() * 1000) if body.expires_at else None
        if expires_ms is not None and not now_ms < expires_ms < 253_402_300_800_000:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "expires_at must lie in the future.")
        expires_ms = self._limits.link_end(owner, now_ms, expires_ms)
        engine_id = self._engine_with(owner, preset, wanted)
        register(self._database, self._clock, owner)
        share_id = new_id()
        row = LinkRow(
            id=share_id,
            engine_id=engine_id,
            owner_address=owner,
            preset=preset,
            level=body.permission_level or ShareLevel.VIEW,
            link_name=body.link_name,
            token_hash=hash_link_token(self._tokens.token(share_id)),
            signed_text=None,
            signature=None,
            expires_ms=expires_ms,
            created_ms=now_ms,
        )
        with self._database.write() as connection:
            queries.purge(connection, now_ms)
            if queries.count_of(connection, owner) >= MAX_LINKS:
                raise FloworkError(
                    ErrorCode.CONFLICT, f"You have {MAX_LINKS} share links already; end one first."
                )
            queries.add(connection, row)
            audit.record(connection, owner, "link_create", share_id, now_ms)
            epoch = shares.epoch_of(connection, engine_id)
        return CreatedLink(
            message="The link was made; sign it to open it.", **self._shown(row, origin, epoch)
        )

    def change(self, owner: str, share_id: str, body: ChangeLinkBody) -> ChangedLink:
        """Change a link's level, which ends its signature, or take up a signature.

        Raises NOT_FOUND, INVALID_REQUEST (a text that says something else) or BAD_SIGNATURE.
        """
        with self._database.write() as connection:
            row = queries.find(connection, share_id, owner)
            if row is None:
                raise _no_link()
            level = body.permission_level or ShareLevel(row.level)
            if level != row.level:
                row = replace(row, level=level.value, signed_text=None, signature=None)
            if body.grant is not None:
                _check_signed(row, body.grant.text, body.grant.signature)
                row = replace(row, signed_text=body.grant.text, signature=body.grant.signature)
            values = {"level": row.level, "signed_text": row.signed_text, "signature": row.signature}
            queries.change(connection, share_id, owner, values)
            audit.record(connection, owner, "link_change", share_id, self._clock.now_ms())
            epoch = shares.epoch_of(connection, row.engine_id)
        return ChangedLink(
            message="The link was changed.",
            share_id=share_id,
            permission_level=level,
            grant_text=_text(row, epoch),
            needs_grant=row.signature is None,
        )

    def delete(self, owner: str, share_id: str) -> None:
        """End a link at once; raises NOT_FOUND."""
        with self._database.write() as connection:
            if not queries.remove(connection, share_id, owner):
                raise _no_link()
            audit.record(connection, owner, "link_delete", share_id, self._clock.now_ms())

    def resolve(self, token: str) -> ResolvedLink:
        """Tell anybody who has the token where it leads; raises NOT_FOUND."""
        row = queries.find_by_token_hash(self._database, hash_link_token(token))
        owner = accounts.find(self._database, row.owner_address) if row else None
        if row is None or (row.expires_ms is not None and row.expires_ms <= self._clock.now_ms()):
            raise _no_link()
        return ResolvedLink(
            permission_level=ShareLevel(row.level),
            workflow_name=row.link_name or row.preset,
            preset_name=row.preset,
            owner_username=owner.username if owner else None,
            owner_id=checksum_address(row.owner_address),
            engine_id=row.engine_id,
            online=self._presence.is_online(row.engine_id),
            expires_at=None if row.expires_ms is None else iso(row.expires_ms),
        )

    def _engine_with(self, owner: str, preset: str, wanted: str | None) -> str:
        told = self._calls.get(owner, f"/presets/{quote(preset, safe='')}/exists", wanted=wanted)
        if told.role is not Role.OWNER:
            raise FloworkError(
                ErrorCode.FORBIDDEN, "Only the owner of an engine makes links to its workflows."
            )
        exists = told.status == 200 and isinstance(told.value, dict) and told.value.get("exists") is True
        if not exists:
            raise FloworkError(ErrorCode.NOT_FOUND, f"Your engine has no saved workflow {preset}.")
        return told.engine_id

    def _shown(self, row: LinkRow, origin: str, epoch: int) -> dict[str, Any]:
        token: str | None = self._tokens.token(row.id)
        if hash_link_token(str(token)) != row.token_hash:
            token = None
        return {
            "share_id": row.id,
            "share_token": token,
            "share_url": None if token is None else f"{origin}/shared/{token}",
            "permission_level": ShareLevel(row.level),
            "link_name": row.link_name,
            "created_at": iso(row.created_ms),
            "expires_at": None if row.expires_ms is None else iso(row.expires_ms),
            "engine_id": row.engine_id,
            "grant_text": _text(row, epoch),
            "needs_grant": row.signature is None,
        }


def _text(row: LinkRow, epoch: int) -> str:
    if row.signed_text is not None:
        return row.signed_text
    return link_text(
        LinkGrant(row.engine_id, row.preset, ShareLevel(row.level), row.token_hash, epoch, row.expires_ms)
    )


def _check_signed(row: LinkRow, text: str, signature: str) -> None:
    signed = read_link_text(text)
    agreed = LinkGrant(
        row.engine_id, row.preset, ShareLevel(row.level), row.token_hash, signed.epoch, row.expires_ms
    )
    if signed != agreed:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The signed text does not say what the link is.")
    if not same_address(recover_text(text, signature), row.owner_address):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "The link was not signed by its owner.")


def _spelled(preset: str) -> str:
    """Return a preset's name as engines spell it."""
    return unicodedata.normalize("NFC", preset).strip()[:120]


def _no_link() -> FloworkError:
    return FloworkError(ErrorCode.NOT_FOUND, "There is no such share link.")
