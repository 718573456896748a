"""Sharing of engines with roles (protocol §1.2, §11.2): both documented spellings of the routes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.contract.base import Address, Auth, Incoming, Operation, Outgoing
from shared.contract.engine import EngineState, Message

GuestRole = Literal["reader", "runner", "admin"]
Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=64)]


class SignedWord(Incoming):
    """A text and its EIP-191 signature by the engine's owner."""

    text: str = Field(max_length=2000)
    signature: str = Field(max_length=132)


class ShareEngineBody(Incoming):
    """Whom to let use an engine, by address, by name or by ENS name, and as what.

    ``grant`` is the owner's signed grant (``Flowork grant, version 1`` …). The engine believes nothing else: without
    it the guest is at most a reader there, whatever the role here says.
    """

    share_with_identifier: Identifier | None = None
    user_id: Identifier | None = None
    role: GuestRole | None = None
    grant: SignedWord | None = None

    @model_validator(mode="after")
    def _named(self) -> ShareEngineBody:
        if not (self.user_id or self.share_with_identifier):
            raise ValueError("share_with_identifier or user_id must name somebody")
        return self

    @property
    def guest(self) -> str:
        """Who is meant."""
        return self.user_id or self.share_with_identifier or ""


class RemoveShareBody(Incoming):
    """Which share to end: its id, which is the guest's address."""

    share_id: Identifier


class ShareAdded(Outgoing):
    """The guest may use the engine. ``needs_grant`` tells that the engine will hold the guest to reader so far.

    ``grant_text`` is what the owner signs to change that: send it back as ``grant`` with its signature.
    """

    message: str
    share_id: str
    role: GuestRole
    needs_grant: bool
    grant_text: str


class EngineShare(Outgoing):
    """A guest of an engine; ``shared_at`` is ISO 8601 in UTC."""

    share_id: str
    user_id: str
    engine_id: str
    username: str | None
    email: str | None
    public_address: Address
    role: GuestRole
    shared_at: str
    needs_grant: bool


class EngineOwner(Outgoing):
    """Whose engine it is."""

    user_id: str
    username: str | None
    email: str | None


class SharedEngine(Outgoing):
    """An engine of somebody else that the caller may use; also the event ``new_shared_engine`` on `/gui-socket`."""

    id: str
    name: str
    status: EngineState
    owner: EngineOwner
    shared_at: str
    role: GuestRole


_TAG = "sharing"
_SHARE_ERRORS = (
    "INVALID_REQUEST",
    "NOT_FOUND",
    "CONFLICT",
    "BAD_SIGNATURE",
    "PAYMENT_REQUIRED",
    "ENGINE_UNAVAILABLE",
)
_UNSHARE_ERRORS = ("NOT_FOUND", "ENGINE_UNAVAILABLE")
_ANSWER = "Let somebody use an engine, or change what they may do"

LIST_SHARED_ENGINES = Operation(
    "list_shared_engines", "GET", "/user/shared-engines", Auth.WALLET, "Engines that others share with the caller",
    list[SharedEngine], _TAG,
)  # fmt: skip
LIST_ENGINE_SHARES = Operation(
    "list_engine_shares", "GET", "/user/engines/{engine_id}/shares", Auth.WALLET, "Who may use an engine",
    list[EngineShare], _TAG, errors=("NOT_FOUND",),
)  # fmt: skip
LIST_SHARES = Operation(
    "list_shares", "GET", "/engines/{engine_id}/shares", Auth.WALLET, "Who may use an engine", list[EngineShare],
    _TAG, errors=("NOT_FOUND",),
)  # fmt: skip
SHARE_ENGINE = Operation(
    "share_engine", "POST", "/user/engines/{engine_id}/share", Auth.WALLET, _ANSWER, ShareAdded, _TAG, status=201,
    body=ShareEngineBody, errors=_SHARE_ERRORS, also=(200,),
)  # fmt: skip
ADD_SHARE = Operation(
    "add_share", "POST", "/engines/{engine_id}/shares", Auth.WALLET, _ANSWER, ShareAdded, _TAG, status=201,
    body=ShareEngineBody, errors=_SHARE_ERRORS, also=(200,),
)  # fmt: skip
UNSHARE_ENGINE = Operation(
    "unshare_engine", "DELETE", "/user/engines/{engine_id}/shares/{share_id}", Auth.WALLET, "End a share", Message,
    _TAG, errors=_UNSHARE_ERRORS,
)  # fmt: skip
REMOVE_SHARE = Operation(
    "remove_share", "DELETE", "/engines/{engine_id}/shares/{share_id}", Auth.WALLET, "End a share", Message, _TAG,
    errors=_UNSHARE_ERRORS,
)  # fmt: skip
DELETE_SHARE = Operation(
    "delete_share", "POST", "/user/engines/{engine_id}/shares/delete", Auth.WALLET, "End a share", Message, _TAG,
    body=RemoveShareBody, errors=_UNSHARE_ERRORS,
)  # fmt: skip
