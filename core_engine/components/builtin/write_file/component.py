"""Writes a text file, whole or not at all."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.whole_files import receipt, write_whole
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class WriteFileConfig(Config):
    """Where and what."""

    path: str = Field(
        min_length=1, description="The file, inside the folders that workflows may use; missing folders are made.",
        json_schema_extra=form(placeholder="reports/today.md"),
    )  # fmt: skip
    content: Any = Field(
        None, description="What to write; empty writes the data's text, or the whole data as JSON.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=6),
    )  # fmt: skip


class WriteFile(Component[WriteFileConfig]):
    """Writes a file."""

    id = "write_file"
    name = "Write file"
    description = "Writes a text file into the folders that workflows may use; an existing one is replaced."
    category = "Files"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    config_model = WriteFileConfig

    @override
    def execute(self, context: Context, config: WriteFileConfig, payload: Payload) -> Result:
        """Write and return ``path``, ``size_bytes`` and ``sha256``.

        Repeating it leaves the same content, so a crash in the middle does no harm: readers see the old file or
        the new one, never a part.
        """
        content = _content(config.content, payload.data).encode("utf-8", "replace")
        return Result.on("success", write_whole(context, config.path, content), payload.history)

    @override
    def simulate(self, context: Context, config: WriteFileConfig, payload: Payload) -> Result:
        """Return what `execute` would, without touching the file system."""
        content = _content(config.content, payload.data).encode("utf-8", "replace")
        context.log(f"Simulated: would write {len(content)} bytes to {config.path}.")
        return Result.on("success", {**receipt(config.path, content), "simulated": True}, payload.history)


def _content(given: Any, data: Any) -> str:
    if given in (None, ""):
        given = data["text"] if isinstance(data, dict) and "text" in data else data
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, indent=2) + "\n"
