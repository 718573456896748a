"""Reads Excel workbooks."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.excel_read.guard import refuse_bombs
from core_engine.components.fields import Words, form
from core_engine.components.members import max_mib_member, save_as_member
from core_engine.components.records import fail, succeed
from core_engine.components.whole_files import read_whole
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class ExcelReadConfig(Config):
    """Which sheet of which file."""

    path: str = Field(
        min_length=1, description="The .xlsx or .xlsm file, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    sheet: str = Field("", max_length=100, description="The sheet's name; empty takes the first one.")
    header: bool = Field(True, description="The first row names the columns.")
    columns: Words = Field(
        default_factory=list, max_length=2000,
        description="Names of the columns, instead of those of the first row; with commas between them.",
    )  # fmt: skip
    skip_rows: int = Field(0, ge=0, le=1_000_000, description="How many rows to leave out at the top.")
    max_rows: int = Field(100_000, ge=1, le=1_000_000, description="A longer sheet is refused.")
    max_mib: float = max_mib_member()
    save_as: str = save_as_member("records")


class ExcelRead(Component[ExcelReadConfig]):
    """Turns a sheet into records."""

    id = "excel_read"
    name = "Read Excel"
    description = (
        "Turns a sheet of an Excel file (.xlsx, .xlsm) into records. Dates become ISO 8601 texts, empty cells none,"
        " formulas their last result."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = ExcelReadConfig

    @override
    def execute(self, context: Context, config: ExcelReadConfig, payload: Payload) -> Result:
        """Return the records, ``columns``, ``sheets`` (all names) and ``count``; empty rows are left out."""
        from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - heavy, only where used

        content = read_whole(context, config.path, config.max_mib)
        refuse_bombs(content)
        try:
            with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
                names: list[str] = book.sheet_names
                if not names or (config.sheet and config.sheet not in names):
                    raise fail(f"There is no sheet {config.sheet!r}; there are {', '.join(names)}.")
                rows = book.get_sheet_by_name(config.sheet or names[0]).to_python(skip_empty_area=False)
        except (CalamineError, OSError, ValueError) as error:
            raise fail(f"{config.path} cannot be read as a workbook: {error}") from error
        columns, records = _records(rows, config)
        found = {config.save_as: records, "columns": columns, "sheets": names, "count": len(records)}
        return succeed(payload, **found)


def _records(rows: list[Any], config: ExcelReadConfig) -> tuple[list[str], list[dict[str, Any]]]:
    left = islice(rows, config.skip_rows, None)
    columns = list(config.columns)
    if config.header:
        top: list[Any] = next(left, [])
        columns = columns or _names(top)
    records: list[dict[str, Any]] = []
    for row in left:
        values = [_plain(cell) for cell in row]
        if all(value is None for value in values):
            continue
        columns += [f"column_{number}" for number in range(len(columns) + 1, len(values) + 1)]
        if len(records) == config.max_rows:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The sheet has more than {config.max_rows} rows.")
        records.append({**dict.fromkeys(columns), **dict(zip(columns, values, strict=False))})
    return columns, records


def _names(row: list[Any]) -> list[str]:
    names: list[str] = []
    for number, cell in enumerate(row, start=1):
        value = _plain(cell)
        base = name = f"column_{number}" if value is None else str(value).strip() or f"column_{number}"
        again = 1
        while name in names:
            again += 1
            name = f"{base}_{again}"
        names.append(name)
    return names


def _plain(cell: Any) -> Any:
    """Return a cell as JSON."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return cell.total_seconds() if isinstance(cell, timedelta) else cell
