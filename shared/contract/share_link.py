"""Share links of saved workflows, and what their visitors may send (protocol §1.3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AwareDatetime, Field, StringConstraints, field_validator

from shared.contract.base import Address, Auth, Incoming, Operation, Outgoing, Rate
from shared.contract.sharing import SignedWord
from shared.errors import ErrorCode, FloworkError


class ShareLevel(StrEnum):
    """What a visitor may do with the shared workflow; each level includes the ones before it."""

    VIEW = "view"
    RUN = "view-run"
    EDIT = "view-edit-run"

    def covers(self, other: ShareLevel) -> bool:
        """Tell whether this level includes another."""
        order = list(ShareLevel)
        return order.index(self) >= order.index(other)


OLD_NAMES = {"read": ShareLevel.VIEW, "read_write": ShareLevel.EDIT}
"""Names of levels that documented clients also use."""

VISITOR_COMMANDS: Mapping[str, ShareLevel] = {
    "load_preset": ShareLevel.VIEW,
    "execute_workflow": ShareLevel.RUN,
    "get_run": ShareLevel.RUN,
    "subscribe_run": ShareLevel.RUN,
    "stop_workflow": ShareLevel.RUN,
    "pause_workflow": ShareLevel.RUN,
    "resume_workflow": ShareLevel.RUN,
    "request_connection_history": ShareLevel.RUN,
    "save_preset": ShareLevel.EDIT,
    "watch_preset": ShareLevel.EDIT,
    "leave_preset": ShareLevel.EDIT,
    "request_components_list": ShareLevel.EDIT,
    "validate_workflow": ShareLevel.EDIT,
}
_NAMED_BY = {
    "load_preset": "name",
    "save_preset": "name",
    "execute_workflow": "preset_name",
    "watch_preset": "preset",
    "leave_preset": "preset",
}
_OF_NO_PRESET = frozenset({"request_components_list", "validate_workflow"})
"""What shows nothing of other workflows, so that whoever may edit one can do so with forms."""
_NOT_FOR_VISITORS = {"load_preset": ("version",), "execute_workflow": ("workflow_data",)}


def check_visit(level: ShareLevel, preset: str, command: str, payload: Mapping[str, Any]) -> None:
    """Raise FORBIDDEN unless a link of this level to this preset allows the command.

    Which runs a visitor may ask about depends on who started them, which only the engine knows.
    """
    needed = VISITOR_COMMANDS.get(command)
    if needed is None or not level.covers(needed):
        raise FloworkError(
            ErrorCode.FORBIDDEN, f"This share link ({level.value}) does not allow {command[:80]}."
        )
    member = _NAMED_BY.get(command)
    if member is not None and payload.get(member) != preset:
        raise FloworkError(ErrorCode.FORBIDDEN, "This share link is for another workflow.")
    for name in _NOT_FOR_VISITORS.get(command, ()):
        if payload.get(name) is not None:
            raise FloworkError(ErrorCode.FORBIDDEN, f"A visitor of a share link may not send {name}.")
    if command in _OF_NO_PRESET:
        return
    if member is None and not isinstance(payload.get("job_id"), str):
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{command} by a share link needs a job_id.")


class _WithLevel(Incoming):
    permission_level: ShareLevel | None = None

    @field_validator("permission_level", mode="before")
    @classmethod
    def _by_old_name(cls, given: Any) -> Any:
        return OLD_NAMES.get(given, given) if isinstance(given, str) else given


class CreateLinkBody(_WithLevel):
    """A new link; without a level it lets people look.

    ``expires_at`` is ISO 8601 with its offset; without it a link ends when the plan's retention does, if there is one.
    """

    link_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    expires_at: AwareDatetime | None = None


class ChangeLinkBody(_WithLevel):
    """What changes. ``grant`` is the owner's signature over the link's ``grant_text`` as it is after the change."""

    grant: SignedWord | None = None


class ShareLink(Outgoing):
    """A link of the caller.

    ``share_token`` and ``share_url`` are null where this gateway lost the key that tokens are made with.
    ``grant_text`` is what the owner signs; as long as ``needs_grant`` is set, the engine refuses every visitor.
    """

    share_id: str
    share_token: str | None
    share_url: str | None
    permission_level: ShareLevel
    link_name: str
    created_at: str
    expires_at: str | None
    engine_id: str
    grant_text: str
    needs_grant: bool


class CreatedLink(ShareLink):
    """The new link."""

    message: str


class ChangedLink(Outgoing):
    """The link as it is now."""

    message: str
    share_id: str
    permission_level: ShareLevel
    grant_text: str
    needs_grant: bool


class DeletedLink(Outgoing):
    """The link leads nowhere any more."""

    status: str = "success"
    message: str


class ResolvedLink(Outgoing):
    """Where a link leads. A visitor sends its commands on `/gui-socket` with ``share_token`` beside them."""

    permission_level: ShareLevel
    workflow_name: str
    preset_name: str
    owner_username: str | None
    owner_id: Address
    engine_id: str
    online: bool
    expires_at: str | None


class RelayShare(Incoming):
    """What goes with a visitor's commands to the engine: the token, and what the owner signed about the link."""

    token: str = Field(max_length=100)
    text: str = Field(max_length=2000)
    signature: str = Field(max_length=132)


_TAG = "share links"
_NO_PRESET = ("NOT_FOUND", "FORBIDDEN", "ENGINE_UNAVAILABLE")
LIST_LINKS = Operation(
    "list_share_links", "GET", "/workflows/{preset}/shares", Auth.WALLET, "Links to a saved workflow, newest first",
    list[ShareLink], _TAG, errors=_NO_PRESET,
)  # fmt: skip
CREATE_LINK = Operation(
    "create_share_link", "POST", "/workflows/{preset}/shares", Auth.WALLET, "Make a link to a saved workflow",
    CreatedLink, _TAG, status=201, body=CreateLinkBody,
    errors=(*_NO_PRESET, "INVALID_REQUEST", "CONFLICT", "PAYMENT_REQUIRED"),
)  # fmt: skip
CHANGE_LINK = Operation(
    "change_share_link", "PUT", "/workflow-shares/{share_id}", Auth.WALLET, "Change a link's level, or sign it",
    ChangedLink, _TAG, body=ChangeLinkBody, errors=("INVALID_REQUEST", "NOT_FOUND", "BAD_SIGNATURE"),
)  # fmt: skip
DELETE_LINK = Operation(
    "delete_share_link", "DELETE", "/workflow-shares/{share_id}", Auth.WALLET, "End a link", DeletedLink, _TAG,
    errors=("NOT_FOUND",),
)  # fmt: skip
RESOLVE_LINK = Operation(
    "resolve_share_link", "GET", "/workflow-shares/resolve/{token}", Auth.NONE, "Where a link leads", ResolvedLink,
    _TAG, errors=("NOT_FOUND",), rate=Rate.STRICT,
)  # fmt: skip
