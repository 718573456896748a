"""Reads and rearranges PDF documents."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import Words, form
from core_engine.components.whole_files import read_whole, write_whole
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_READING = frozenset({"info", "text"})


class PdfConfig(Config):
    """Which documents, and what becomes of them."""

    operation: Literal["text", "info", "merge", "split", "rotate"] = Field(
        "text",
        description=(
            "text: read the text. info: tell pages, size and title. merge: put documents one after the other."
            " split: cut one into several. rotate: turn its pages."
        ),
    )
    paths: Words = Field(
        min_length=1, max_length=200, title="Documents",
        description="The documents, inside the folders that workflows may use; only merge takes several.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    pages: str = Field(
        "", max_length=1000, pattern=r"^[\d\s,\-]*$",
        description="Which pages: 1-3, 7, 9- (from 9 on). Empty takes all. With merge it holds for each document.",
        json_schema_extra=form(placeholder="1-3, 7"),
    )  # fmt: skip
    target: str = Field(
        "", description="The file to write; split puts a number before its ending. Needed by merge, split and rotate.",
        json_schema_extra=form(placeholder="reports/all.pdf"),
    )  # fmt: skip
    pages_per_file: int = Field(1, ge=1, le=10_000, description="How many pages each part of split has.")
    angle: Literal["90", "180", "270"] = Field(
        "90", description="How far rotate turns the pages, clockwise in degrees."
    )
    password: str = Field(
        "", max_length=1000, description="Password of protected documents; better a secret variable than text.",
        json_schema_extra=form(placeholder="{{ vars.PDF_PASSWORD }}", secret=True),
    )  # fmt: skip
    max_pages: int = Field(500, ge=1, le=10_000, description="More pages in all are refused.")
    max_mib: float = Field(
        32.0, gt=0, le=256, title="Largest file (MiB)", description="A larger document is refused, in MiB."
    )


class Pdf(Component[PdfConfig]):
    """Handles documents."""

    id = "pdf"
    name = "PDF"
    description = "Reads the text of PDF documents, merges and splits them, and turns their pages."
    category = "Media"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    config_model = PdfConfig

    @override
    def policy_for(self, config: PdfConfig) -> StepPolicy:
        """Tell reading, which has no effect, from writing."""
        return StepPolicy.REPEATABLE if config.operation in _READING else StepPolicy.KEYED

    @override
    def execute(self, context: Context, config: PdfConfig, payload: Payload) -> Result:
        """Return what was read (``text`` and ``pages``, or facts), or the ``files`` that were written."""
        from core_engine.components.builtin.pdf import document  # noqa: PLC0415 - heavy, only where used

        _check(config)
        contents = [read_whole(context, path, config.max_mib) for path in config.paths]
        data: dict[str, Any]
        match config.operation:
            case "text":
                data = document.read_text(contents[0], config)
            case "info":
                data = document.read_facts(contents[0], config)
            case _:
                files = document.rearrange(contents, config)
                data = {"files": [write_whole(context, name, content) for name, content in files]}
        return Result.on("success", {"operation": config.operation, **data}, payload.history)

    @override
    def simulate(self, context: Context, config: PdfConfig, payload: Payload) -> Result:
        """Read what can be read; write nothing."""
        _check(config)
        if config.operation in _READING:
            try:
                return self.execute(context, config, payload)
            except FloworkError as error:
                if (
                    error.code is not ErrorCode.NOT_FOUND
                ):  # an earlier step, simulated too, would have written it
                    raise
        context.log(f"Simulated: would {config.operation} {', '.join(config.paths)}.")
        data: dict[str, Any] = {
            "operation": config.operation,
            "files": [],
            "text": "",
            "pages": [],
            "simulated": True,
        }
        return Result.on("success", data, payload.history)


def _check(config: PdfConfig) -> None:
    if len(config.paths) > 1 and config.operation != "merge":
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{config.operation} takes one document.")
    if config.operation not in _READING and not config.target.lower().endswith(".pdf"):
        message = f"{config.operation} needs a target that ends with .pdf."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message)
