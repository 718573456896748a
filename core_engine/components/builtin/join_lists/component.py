"""Joins two lists like tables of a database."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import Words, form
from core_engine.components.members import save_as_member
from core_engine.components.records import MISSING, fail, objects_of, reach, succeed
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MOST = 1_000_000
Row = dict[str, Any]


class JoinConfig(Config):
    """The two lists and what makes their items belong together."""

    left: Any = Field(description="The first list.", json_schema_extra=form(placeholder="{{ data.orders }}"))
    right: Any = Field(
        description="The second list.", json_schema_extra=form(placeholder="{{ data.customers }}")
    )
    left_key: Words = Field(
        min_length=1, max_length=10,
        description="Members of the first list's items that must be equal, with commas between them.",
        json_schema_extra=form(placeholder="customer_id"),
    )  # fmt: skip
    right_key: Words = Field(
        default_factory=list, max_length=10,
        description="The members of the second list's items, in the same order; empty when they have the same names.",
        json_schema_extra=form(placeholder="id"),
    )  # fmt: skip
    kind: Literal["inner", "left", "right", "full"] = Field(
        "inner",
        description="Which items without a partner stay: none, those of the first list, of the second, or all.",
    )
    right_prefix: str = Field(
        "", max_length=100,
        description="Put before the names of the second list's members; empty lets the first list's values win"
        " where both have a name.",
        json_schema_extra=form(placeholder="customer_"),
    )  # fmt: skip
    save_as: str = save_as_member("records")


class JoinLists(Component[JoinConfig]):
    """Joins."""

    id = "join_lists"
    name = "Join two lists"
    description = (
        "Joins the items of two lists that have equal keys, as a database joins tables. An item with several"
        " partners comes once for each; a missing key or one that is none has no partner."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = JoinConfig

    @override
    def execute(self, context: Context, config: JoinConfig, payload: Payload) -> Result:
        """Return the joined list in the order of the first; what is left of the second comes last."""
        right_key = config.right_key or config.left_key
        if len(right_key) != len(config.left_key):
            raise fail("Both keys must have the same number of members.")
        left, right = objects_of(config.left, None), objects_of(config.right, None)
        records = _join(left, right, (config.left_key, right_key), config)
        return succeed(payload, **{config.save_as: records, "count": len(records)})


def _join(
    left: list[Row], right: list[Row], keys: tuple[list[str], list[str]], config: JoinConfig
) -> list[Row]:
    partners: dict[bytes, list[int]] = {}
    for number, row in enumerate(right):
        if (mark := _mark(row, keys[1])) is not None:
            partners.setdefault(mark, []).append(number)
    names = [{f"{config.right_prefix}{name}": name for name in row} for row in right]
    met: set[int] = set()
    joined: list[Row] = []
    for row in left:
        mark = _mark(row, keys[0])
        found = partners.get(mark, []) if mark is not None else []
        if len(joined) + len(found) > _MOST:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The joined list has more than {_MOST} items.")
        met.update(found)
        joined += [{**_renamed(right[number], names[number]), **row} for number in found]
        if not found and config.kind in {"left", "full"}:
            joined.append(row)
    if config.kind in {"right", "full"}:
        joined += [_renamed(row, names[number]) for number, row in enumerate(right) if number not in met]
    return joined


def _renamed(row: Row, names: dict[str, str]) -> Row:
    return {new: row[old] for new, old in names.items()}


def _mark(row: Row, key: list[str]) -> bytes | None:
    values = [reach(row, part) for part in key]
    if any(value is MISSING or value is None for value in values):
        return None
    whole = [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]
    return msgspec.json.encode(whole, order="sorted")
