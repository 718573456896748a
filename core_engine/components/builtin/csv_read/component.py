"""Reads tables written as text."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.csv_read.table import Form, read_table
from core_engine.components.fields import Words, form
from core_engine.components.members import max_mib_member, save_as_member
from core_engine.components.records import fail, succeed, text_of
from core_engine.components.whole_files import MIB, read_whole
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_SIGNS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}


class CsvReadConfig(Config):
    """Where the table is and how it is written."""

    path: str = Field(
        "", description="The file, inside the folders that workflows may use; empty reads a text.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    text: Any = Field(
        None, description="The text; empty takes the data itself or its text.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=4),
    )  # fmt: skip
    delimiter: Literal["auto", "comma", "semicolon", "tab", "pipe"] = Field(
        "auto", description="What separates the columns; auto takes what is most frequent in the first line."
    )
    quote: Literal["double", "single", "none"] = Field(
        "double", description="The quotation marks around values that hold a delimiter or a line break."
    )
    header: bool = Field(True, description="The first line names the columns.")
    columns: Words = Field(
        default_factory=list, max_length=2000,
        description="Names of the columns, instead of those of the first line; with commas between them.",
    )  # fmt: skip
    types: Literal["text", "guess"] = Field(
        "text",
        description="Leave every value a text, or make numbers, true, false and none of what looks like them"
        " (007 and +62 stay texts).",
    )
    long_rows: Literal["fail", "cut"] = Field(
        "fail", description="What to do with a row that has more values than there are columns."
    )
    skip_rows: int = Field(0, ge=0, le=1_000_000, description="How many lines to leave out at the top.")
    max_rows: int = Field(100_000, ge=1, le=1_000_000, description="A longer table is refused.")
    encoding: Literal["utf-8", "utf-16", "latin-1", "cp1252"] = Field(
        "utf-8", description="How a file's characters are written."
    )
    max_mib: float = max_mib_member()
    save_as: str = save_as_member("records")


class CsvRead(Component[CsvReadConfig]):
    """Turns CSV into records."""

    id = "csv_read"
    name = "Read CSV"
    description = "Turns a CSV text or file into records, one object for each row."
    category = "Data"
    execution = Execution.THREAD
    config_model = CsvReadConfig

    @override
    def execute(self, context: Context, config: CsvReadConfig, payload: Payload) -> Result:
        """Return the records, ``columns`` and ``count``; values that are missing in a short row are none."""
        how = Form(
            delimiter=_SIGNS.get(config.delimiter), quote={"double": '"', "single": "'"}.get(config.quote),
            header=config.header, columns=tuple(config.columns), guess=config.types == "guess",
            cut=config.long_rows == "cut", skip=config.skip_rows, most=config.max_rows,
        )  # fmt: skip
        columns, records = read_table(_text(context, config, payload.data), how)
        return succeed(payload, **{config.save_as: records, "columns": columns, "count": len(records)})


def _text(context: Context, config: CsvReadConfig, data: Any) -> str:
    if not config.path:
        text = text_of(config.text, data)
        if len(text) > config.max_mib * MIB:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The text is larger than {config.max_mib:g} MiB.")
        return text
    content = read_whole(context, config.path, config.max_mib)
    try:
        return content.decode(config.encoding)
    except UnicodeDecodeError as error:
        raise fail(f"{config.path} is not {config.encoding}: byte {error.start} is no character.") from error
