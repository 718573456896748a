"""The marketplace: workflows and components that people publish for others (protocol §1.6)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Address, Auth, Incoming, Operation, Outgoing

ItemType = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
LARGEST_ITEM = 256 * 1024
MOST_LISTED = 500


class ListQuery(Incoming):
    """Only items of this type."""

    type: ItemType | None = None


class ItemQuery(Incoming):
    """Which version; the newest without."""

    version: int | None = Field(default=None, ge=1, le=1_000_000)


class MarketItem(Outgoing):
    """An item in the list; ``published_at`` is ISO 8601 in UTC, ``author`` the wallet that published it."""

    id: str
    type: str
    title: str = Field(alias="name")
    desc: str
    price: str
    author: Address
    author_name: str | None
    published_at: str
    version: int
    likes: int
    dislikes: int


class MarketItems(Outgoing):
    """The list as the documented client wants it for the type ``capsule``."""

    items: list[MarketItem]


class MarketItemDetail(MarketItem):
    """An item with its content."""

    data: Any
    versions: list[int]


class PublishBody(Incoming):
    """An item. With the ``id`` of an own item this is its next version; its content is at most 256 KiB of JSON."""

    type: ItemType
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)] = Field(
        alias="name"
    )
    desc: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] = ""
    price: (
        Annotated[str, StringConstraints(max_length=32)]
        | Annotated[int, Field(ge=0)]
        | Annotated[float, Field(ge=0)]
    ) = "0"
    data: Any = Field(...)
    id: ItemId | None = None


class Published(Outgoing):
    """The item is in the list."""

    success: bool = True
    message: str
    id: str
    version: int


class VoteBody(Incoming):
    """1 likes, -1 dislikes, 0 takes the vote back."""

    itemId: ItemId  # noqa: N815 - the documented wire name
    voteType: Literal[1, -1, 0]  # noqa: N815 - the documented wire name


class Voted(Outgoing):
    """The vote counts."""

    success: bool = True
    message: str
    newVoteStatus: Literal[1, -1, 0]  # noqa: N815 - the documented wire name


class DeleteItemBody(Incoming):
    """Which item."""

    id: ItemId


class ItemDeleted(Outgoing):
    """The item is gone."""

    success: bool = True
    message: str


class InstallBody(Incoming):
    """A component to install on the caller's engine."""

    id: ItemId | None = None


_TAG = "marketplace"
LIST_ITEMS = Operation(
    "list_items", "GET", "/marketplace/list", Auth.NONE, "What was published, newest first",
    list[MarketItem] | MarketItems, _TAG, query=ListQuery, errors=("INVALID_REQUEST",),
)  # fmt: skip
GET_ITEM = Operation(
    "get_item", "GET", "/marketplace/items/{item_id}", Auth.NONE, "An item with its content", MarketItemDetail, _TAG,
    query=ItemQuery, errors=("INVALID_REQUEST", "NOT_FOUND"),
)  # fmt: skip
PUBLISH_ITEM = Operation(
    "publish_item", "POST", "/marketplace/publish", Auth.WALLET, "Publish an item, or its next version", Published,
    _TAG, status=201, body=PublishBody,
    errors=("INVALID_REQUEST", "NOT_FOUND", "CONFLICT", "TOO_LARGE", "RATE_LIMITED"),
)  # fmt: skip
VOTE = Operation(
    "vote", "POST", "/marketplace/vote", Auth.WALLET, "Like or dislike an item", Voted, _TAG, body=VoteBody,
    errors=("INVALID_REQUEST", "NOT_FOUND"),
)  # fmt: skip
DELETE_ITEM = Operation(
    "delete_item", "POST", "/marketplace/delete", Auth.WALLET, "Delete an own item; operators may delete any",
    ItemDeleted, _TAG, body=DeleteItemBody, errors=("INVALID_REQUEST", "NOT_FOUND"),
)  # fmt: skip
INSTALL_COMPONENT = Operation(
    "install_marketplace_component", "POST", "/marketplace/component/install", Auth.WALLET,
    "Not done by the gateway: engines install what their owner signs for, by the command install_component",
    ItemDeleted, _TAG, body=InstallBody,
    errors=("NOT_IMPLEMENTED",),
)  # fmt: skip
