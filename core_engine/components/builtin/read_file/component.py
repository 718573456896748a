"""Reads a text file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.files import open_regular
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MIB = 1024 * 1024


class ReadFileConfig(Config):
    """Which file and how."""

    path: str = Field(
        min_length=1, description="The file, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.input }}"),
    )  # fmt: skip
    output: Literal["text", "lines"] = Field(
        "text", description="Hand the content on as one text or as a list of lines."
    )
    encoding: Literal["utf-8", "utf-16", "latin-1"] = Field(
        "utf-8", description="How the file's characters are written."
    )
    bad_bytes: Literal["replace", "fail"] = Field(
        "replace",
        description="What to do with bytes that are no characters: replace each by a sign, or fail.",
    )
    max_mib: float = Field(
        32,
        gt=0,
        le=256,
        title="Largest size (MiB)",
        description="A larger file is refused, in MiB (1 MiB = 1,048,576 bytes).",
    )


class ReadFile(Component[ReadFileConfig]):
    """Reads a file."""

    id = "read_file"
    name = "Read file"
    description = "Reads a text file from the folders that workflows may use."
    category = "Files"
    execution = Execution.THREAD
    config_model = ReadFileConfig

    @override
    def execute(self, context: Context, config: ReadFileConfig, payload: Payload) -> Result:
        """Return ``path``, ``size_bytes``, ``line_count`` and ``text`` or ``lines``.

        A line ends with a line feed (a carriage return before it is taken off), as in grep, awk and wc; a last
        line without one counts.
        """
        path = context.files.readable(config.path)
        limit = int(config.max_mib * _MIB)
        with open_regular(path) as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise FloworkError(ErrorCode.TOO_LARGE, f"{path.name} is larger than {config.max_mib:g} MiB.")
        text = _decode(content, config, path.name)
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        data: dict[str, Any] = {"path": str(path), "size_bytes": len(content), "line_count": len(lines)}
        if config.output == "lines":
            data["lines"] = [line.removesuffix("\r") for line in lines]
        else:
            data["text"] = text
        return Result.on("success", data, payload.history)


def _decode(content: bytes, config: ReadFileConfig, name: str) -> str:
    try:
        return content.decode(config.encoding, "strict" if config.bad_bytes == "fail" else "replace")
    except UnicodeDecodeError as error:
        message = f"{name} is not {config.encoding}: byte {error.start} is no part of a character."
        raise FloworkError(ErrorCode.COMPONENT_FAILED, message) from error
