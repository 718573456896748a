"""Writes Excel workbooks."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.fields import Words, form
from core_engine.components.members import records_member, simulated
from core_engine.components.records import fail, records_of, succeed
from core_engine.components.whole_files import receipt, write_whole
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_MOST_COLUMNS = 2000
_MOST_ROWS = 1_000_000
_LONGEST_CELL = 32_767
_WIDEST = 60
_LARGEST_NUMBER = 2**53
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class ExcelWriteConfig(Config):
    """What is written and where."""

    path: str = Field(
        min_length=1, description="The .xlsx file, inside the folders that workflows may use; an old one is replaced.",
        json_schema_extra=form(placeholder="reports/orders.xlsx"),
    )  # fmt: skip
    records: Any = records_member()
    sheet: str = Field("Sheet1", min_length=1, max_length=31, description="The sheet's name.")
    columns: Words = Field(
        default_factory=list, max_length=_MOST_COLUMNS,
        description="The columns in their order, with commas between them; empty takes all members as they come.",
    )  # fmt: skip
    header: bool = Field(
        True, description="Begin with a bold line of the columns' names that stays in sight."
    )

    @field_validator("sheet")
    @classmethod
    def _name_fits(cls, name: str) -> str:
        if any(sign in name for sign in "[]:*?/\\") or name.startswith("'") or name.endswith("'"):
            raise ValueError("a sheet's name has none of [ ] : * ? / \\ and no ' at its ends")
        return name


class ExcelWrite(Component[ExcelWriteConfig]):
    """Turns records into a workbook."""

    id = "excel_write"
    name = "Write Excel"
    description = (
        "Writes records into an Excel file (.xlsx). Texts stay texts: none becomes a formula or a link."
    )
    category = "Data"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    config_model = ExcelWriteConfig

    @override
    def execute(self, context: Context, config: ExcelWriteConfig, payload: Payload) -> Result:
        """Write the file; return ``path``, ``size_bytes``, ``sha256`` and ``count``, the number of rows."""
        records = records_of(config.records, payload.data)
        content = _workbook(config, records)
        return succeed(payload, **write_whole(context, config.path, content), count=len(records))

    @override
    def simulate(self, context: Context, config: ExcelWriteConfig, payload: Payload) -> Result:
        """Return what `execute` would, without touching the file system."""
        records = records_of(config.records, payload.data)
        content = _workbook(config, records)
        context.log(simulated(f"write {len(content)} bytes to {config.path}"))
        return succeed(payload, **receipt(config.path, content), count=len(records), simulated=True)


def _workbook(config: ExcelWriteConfig, records: list[Any]) -> bytes:
    """Return the file's bytes; the same records make the same bytes."""
    import xlsxwriter  # noqa: PLC0415 - heavy, only where used

    if len(records) >= _MOST_ROWS:
        raise fail(f"A sheet has at most {_MOST_ROWS} rows.")
    columns = list(config.columns) or _columns(records)
    rows = [_values(record, columns) for record in records]
    stream = io.BytesIO()
    options = {
        "in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }  # fmt: skip
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"created": _BEGINNING})
        sheet = book.add_worksheet(config.sheet)
        if config.header and columns:
            sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
            sheet.freeze_panes(1, 0)
            rows.insert(0, list(columns))
        for number, row in enumerate(rows):
            if not (config.header and columns and number == 0):
                _write_row(sheet, number, row)
        for place, width in enumerate(_widths(rows)):
            sheet.set_column(place, place, width)
    return stream.getvalue()


def _write_row(sheet: Any, number: int, row: list[Any]) -> None:
    for place, value in enumerate(row):
        if value is None:
            continue
        if isinstance(value, bool):
            sheet.write_boolean(number, place, value)
        elif isinstance(value, int | float) and abs(value) <= _LARGEST_NUMBER:
            sheet.write_number(number, place, value)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if len(text) > _LONGEST_CELL:
                raise fail(f"Row {number + 1} has a text of more than {_LONGEST_CELL} characters.")
            sheet.write_string(number, place, text)


def _columns(records: list[Any]) -> list[str]:
    names: dict[str, None] = {}
    for record in records:
        if isinstance(record, dict):
            names.update(dict.fromkeys(record))
    if len(names) > _MOST_COLUMNS:
        raise fail(f"The records have more than {_MOST_COLUMNS} different members.")
    return list(names)


def _values(record: Any, columns: list[str]) -> list[Any]:
    if isinstance(record, dict):
        return [record.get(name) for name in columns]
    if isinstance(record, list) and len(record) <= _MOST_COLUMNS:
        return record
    raise fail(f"A row is neither an object nor a list of at most {_MOST_COLUMNS} values.")


def _widths(rows: list[list[Any]]) -> list[int]:
    """Return a fitting width for each column, by its first rows."""
    widths: list[int] = []
    for row in rows[:200]:
        widths += [8] * (len(row) - len(widths))
        for place, value in enumerate(row):
            widths[place] = min(max(widths[place], len(str(value)) + 2), _WIDEST)
    return widths
