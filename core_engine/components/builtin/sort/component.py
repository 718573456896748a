"""Puts lists in order."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.conditions import number, text
from core_engine.components.fields import JsonList, Part, form
from core_engine.components.members import records_member, save_as_member
from core_engine.components.records import MISSING, reach, records_of, succeed
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

Type = Literal["auto", "text", "number", "date"]


class SortKey(Part):
    """One thing to sort by; an empty field is the item itself."""

    field: str = Field("", max_length=200)
    order: Literal["asc", "desc"] = "asc"
    type: Type = "auto"
    match_case: bool = False


class SortConfig(Config):
    """The order."""

    by: JsonList[SortKey] = Field(
        default_factory=lambda: [SortKey()], min_length=1, max_length=10,
        description=(
            'A list of {"field", "order", "type"}: what comes first counts most. order is asc or desc; type is text,'
            " number, date or auto, which puts numbers before texts. match_case tells a from A."
        ),
        json_schema_extra=form(language="json", rows=6),
    )  # fmt: skip
    records: Any = records_member()
    save_as: str = save_as_member("records")


class Sort(Component[SortConfig]):
    """Sorts."""

    id = "sort"
    name = "Sort"
    description = (
        "Sorts a list by one or several fields. Equal items stay in their order; items whose field is missing, none"
        " or not of the type come last."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = SortConfig

    @override
    def execute(self, context: Context, config: SortConfig, payload: Payload) -> Result:
        """Sort by the last key first: the sort is stable, so the first key decides."""
        records = list(records_of(config.records, payload.data))
        for key in reversed(config.by):
            records = _sorted(records, key)
        return succeed(payload, **{config.save_as: records, "count": len(records)})


def _sorted(records: list[Any], key: SortKey) -> list[Any]:
    ranked: list[tuple[Any, Any]] = []
    last: list[Any] = []
    convert = _CONVERSIONS[key.type]
    for item in records:
        value = reach(item, key.field)
        rank = None if value is MISSING or value is None else convert(value, key.match_case)
        if rank is None:
            last.append(item)
        else:
            ranked.append((rank, item))
    ranked.sort(key=lambda pair: pair[0], reverse=key.order == "desc")
    return [item for _, item in ranked] + last


def _as_number(value: Any, match_case: bool) -> Any:  # noqa: ARG001, FBT001 - one shape for all types
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return number(value)


def _as_text(value: Any, match_case: bool) -> Any:  # noqa: FBT001 - one shape for all types
    plain = unicodedata.normalize("NFC", text(value))
    return (plain if match_case else plain.casefold(), plain)


def _as_date(value: Any, match_case: bool) -> Any:  # noqa: ARG001, FBT001 - one shape for all types
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_found(value: Any, match_case: bool) -> Any:  # noqa: FBT001 - one shape for all types
    if isinstance(value, bool):
        return (1, int(value))
    if isinstance(value, int | float):
        return (0, value)
    return (2, _as_text(value, match_case))


_CONVERSIONS: dict[Type, Callable[[Any, bool], Any]] = {
    "auto": _as_found, "text": _as_text, "number": _as_number, "date": _as_date,
}  # fmt: skip
