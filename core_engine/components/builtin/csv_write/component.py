"""Writes tables as text."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from core_engine.components.conditions import number
from core_engine.components.fields import Words, form
from core_engine.components.members import records_member, save_as_member, simulated
from core_engine.components.records import fail, records_of, succeed
from core_engine.components.whole_files import receipt, write_whole
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read the wide signs as well
_MOST_COLUMNS = 2000
_BREAK = "\r\n"
"""What the writer ends lines with: it puts quotation marks around values that hold one of these signs."""


class _Lines:
    """A file for the writer, that ends the lines as is wanted."""

    def __init__(self, end: str) -> None:
        self._end = end
        self.written: list[str] = []

    def write(self, line: str) -> None:
        self.written.append(line.removesuffix(_BREAK) + self._end)


class CsvWriteConfig(Config):
    """What is written, where and how."""

    records: Any = records_member()
    to: Literal["text", "file"] = Field(
        "text", description="Add the table to the data as a text, or write a file."
    )
    path: str = Field(
        "", description="The file, inside the folders that workflows may use; an existing one is replaced.",
        json_schema_extra=form(placeholder="reports/orders.csv"),
    )  # fmt: skip
    columns: Words = Field(
        default_factory=list, max_length=_MOST_COLUMNS,
        description="The columns in their order, with commas between them; empty takes all members as they come.",
    )  # fmt: skip
    header: bool = Field(True, description="Begin with a line of the columns' names.")
    delimiter: Literal["comma", "semicolon", "tab", "pipe"] = Field(
        "comma", description="What separates the columns."
    )
    quote: Literal["needed", "all"] = Field(
        "needed", description="Put quotation marks around values that need them, or around all."
    )
    protect_formulas: bool = Field(
        True,
        description="Write ' before texts that a spreadsheet would run as a formula (those that begin with = + - @)."
        " Turn it off only where no spreadsheet opens the table.",
    )
    line_end: Literal["lf", "crlf"] = Field("lf", description="How lines end: as on Linux, or as on Windows.")
    byte_order_mark: bool = Field(False, description="Begin a file with the mark by which Excel knows UTF-8.")
    save_as: str = save_as_member("text")

    @model_validator(mode="after")
    def _path_given(self) -> CsvWriteConfig:
        if self.to == "file" and not self.path:
            raise ValueError("path: writing to a file needs its path")
        return self


class CsvWrite(Component[CsvWriteConfig]):
    """Turns records into CSV."""

    id = "csv_write"
    name = "Write CSV"
    description = "Turns records into a CSV text or file, safe to open in a spreadsheet."
    category = "Data"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    config_model = CsvWriteConfig

    @override
    def policy_for(self, config: CsvWriteConfig) -> StepPolicy:
        """Only a file is an effect."""
        return StepPolicy.KEYED if config.to == "file" else StepPolicy.REPEATABLE

    @override
    def execute(self, context: Context, config: CsvWriteConfig, payload: Payload) -> Result:
        """Return the text, or ``path``, ``size_bytes`` and ``sha256``; and ``count``, the number of rows."""
        text, count = _table(config, records_of(config.records, payload.data))
        if config.to == "text":
            return succeed(payload, **{config.save_as: text, "count": count})
        return succeed(payload, **write_whole(context, config.path, _bytes(config, text)), count=count)

    @override
    def simulate(self, context: Context, config: CsvWriteConfig, payload: Payload) -> Result:
        """Return what `execute` would, without touching the file system."""
        if config.to == "text":
            return self.execute(context, config, payload)
        text, count = _table(config, records_of(config.records, payload.data))
        content = _bytes(config, text)
        context.log(simulated(f"write {len(content)} bytes to {config.path}"))
        return succeed(payload, **receipt(config.path, content), count=count, simulated=True)


def _bytes(config: CsvWriteConfig, text: str) -> bytes:
    return text.encode("utf-8-sig" if config.byte_order_mark else "utf-8", "replace")


def _table(config: CsvWriteConfig, records: list[Any]) -> tuple[str, int]:
    columns = list(config.columns) or _columns(records)
    lines = _Lines("\r\n" if config.line_end == "crlf" else "\n")
    writer = csv.writer(
        lines, delimiter=_SIGNS[config.delimiter], lineterminator=_BREAK,
        quoting=csv.QUOTE_ALL if config.quote == "all" else csv.QUOTE_MINIMAL,
    )  # fmt: skip
    if config.header and columns:
        writer.writerow([_cell(name, protect=config.protect_formulas) for name in columns])
    for record in records:
        writer.writerow([_cell(value, protect=config.protect_formulas) for value in _values(record, columns)])
    return "".join(lines.written), len(records)


def _columns(records: list[Any]) -> list[str]:
    names: dict[str, None] = {}
    for record in records:
        if isinstance(record, dict):
            names.update(dict.fromkeys(record))
    if len(names) > _MOST_COLUMNS:
        raise fail(f"The records have more than {_MOST_COLUMNS} different members.")
    return list(names)


def _values(record: Any, columns: Sequence[str]) -> list[Any]:
    if isinstance(record, dict):
        return [record.get(name) for name in columns]
    if isinstance(record, list):
        return record
    raise fail("A row is neither an object nor a list of values.")


def _cell(value: Any, *, protect: bool) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if protect and value.lstrip(" ").startswith(_FORMULA) and number(value) is None:
        return f"'{value}"
    return value
