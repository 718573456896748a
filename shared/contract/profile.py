"""Profiles, what pages keep for their user, and the end of an account (protocol §1.2)."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, RootModel, StringConstraints

from shared.contract.base import Address, Auth, Incoming, Operation, Outgoing, Rate
from shared.contract.proxy import Done, PreferencesBody

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{2,31}$"
LARGEST_DOCUMENT = 64 * 1024
_AVATAR = re.compile(
    r"(|https://[^\s\"'<>]{1,2000}|data:image/(png|jpeg|webp);base64,[A-Za-z0-9+/=]{1,65536})"
)


def _image(text: str) -> str:
    if _AVATAR.fullmatch(text) is None:
        raise ValueError("an https address, or a PNG, JPEG or WebP image of at most 48 KiB as a data: URL")
    return text


UserName = Annotated[str, StringConstraints(strip_whitespace=True, pattern=NAME_PATTERN)]
Avatar = Annotated[str, Field(max_length=66_000), AfterValidator(_image)]
Favorite = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class ProfileBody(Incoming):
    """What changes; absent members stay.

    ``name`` has 3 to 32 of ``A-Z a-z 0-9 _ . -``, no other characters, so that none looks like another.
    """

    name: UserName | None = None
    bio: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = None
    avatar: Avatar | None = None


class OwnProfile(Outgoing):
    """The caller's profile."""

    name: str | None
    email: str | None
    address: Address
    bio: str
    avatar: str


class ProfileChanged(Outgoing):
    """The profile after the change."""

    message: str
    user: OwnProfile


class PublicProfile(Outgoing):
    """What everybody may see of a user; ``articles`` belongs to the documented shape and is empty."""

    address: Address
    name: str | None
    bio: str
    avatar: str
    articles: list[Any] = Field(default_factory=list)


class FavoritesBody(RootModel[Annotated[list[Favorite], Field(max_length=500)]]):
    """A bare array of ids."""


class WidgetsBody(RootModel[Annotated[list[dict[str, Any]], Field(max_length=100)]]):
    """A bare array of widgets as the page describes them; 64 KiB in all."""


class PreferencesChanged(Outgoing):
    """The preferences after the merge."""

    message: str
    preferences: dict[str, Any]


class DeleteAccountBody(Incoming):
    """``confirm`` is the caller's own address, typed out: nobody deletes an account by a slip.

    ``forfeit`` says that paid time, credit and payments on their way may be lost; without it an account that has such
    things is not deleted.
    """

    confirm: Address
    forfeit: bool = False


class AccountDeleted(Outgoing):
    """What was deleted. ``invoices`` are kept, as the law asks of sellers, without the account's address."""

    message: str
    engines: int
    shares: int
    items: int
    invoices: int


_CHANGE_ERRORS = ("INVALID_REQUEST", "CONFLICT")
PUT_PROFILE = Operation(
    "put_profile", "PUT", "/user/profile", Auth.WALLET, "Change the caller's profile", ProfileChanged, "profile",
    body=ProfileBody, errors=_CHANGE_ERRORS,
)  # fmt: skip
PATCH_PROFILE = Operation(
    "patch_profile", "PATCH", "/user/profile", Auth.WALLET, "Change the caller's profile", ProfileChanged,
    "profile", body=ProfileBody, errors=_CHANGE_ERRORS,
)  # fmt: skip
PUBLIC_PROFILE = Operation(
    "public_profile", "GET", "/user/public/{identifier}", Auth.NONE, "A user's profile, by address, name or ENS name",
    PublicProfile, "profile", errors=("NOT_FOUND", "ENGINE_UNAVAILABLE"), rate=Rate.STRICT,
)  # fmt: skip
DELETE_ACCOUNT = Operation(
    "delete_account", "DELETE", "/user/account", Auth.WALLET,
    "Delete the caller's account with its engines, shares, links, items and settings", AccountDeleted, "profile",
    body=DeleteAccountBody, errors=("INVALID_REQUEST", "CONFLICT"),
)  # fmt: skip
GET_PREFERENCES = Operation(
    "get_preferences", "GET", "/user/preferences", Auth.WALLET, "The caller's preferences", dict[str, Any],
    "user state",
)  # fmt: skip
PATCH_PREFERENCES = Operation(
    "patch_preferences", "PATCH", "/user/preferences", Auth.WALLET, "Merge preferences into the stored ones",
    PreferencesChanged, "user state", body=PreferencesBody, errors=("INVALID_REQUEST", "TOO_LARGE"),
)  # fmt: skip


def _get(kind: str, response: Any) -> Operation:
    summary = f"The caller's {kind.replace('_', ' ')}"
    return Operation(
        f"get_{kind}", "GET", f"/user/state/{kind}", Auth.WALLET, summary, response, "user state"
    )


def _put(kind: str, body: type[RootModel[Any]]) -> Operation:
    summary = f"Replace the caller's {kind.replace('_', ' ')}"
    return Operation(
        f"put_{kind}", "PUT", f"/user/state/{kind}", Auth.WALLET, summary, Done, "user state", body=body,
        errors=("INVALID_REQUEST", "TOO_LARGE"),
    )  # fmt: skip


GET_FAVORITE_PRESETS = _get("favorite_presets", list[str])
PUT_FAVORITE_PRESETS = _put("favorite_presets", FavoritesBody)
GET_FAVORITE_COMPONENTS = _get("favorite_components", list[str])
PUT_FAVORITE_COMPONENTS = _put("favorite_components", FavoritesBody)
GET_ACTIVE_WIDGETS = _get("active_widgets", list[dict[str, Any]])
PUT_ACTIVE_WIDGETS = _put("active_widgets", WidgetsBody)
