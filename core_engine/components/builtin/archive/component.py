"""Packs files into an archive."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.archive.packing import Entry, find_entries, pack
from core_engine.components.drafts import Draft
from core_engine.components.fields import Words, form
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_MIB = 1024 * 1024


class ArchiveConfig(Config):
    """What is packed, and where."""

    sources: Words = Field(
        min_length=1, max_length=10_000,
        description="Files and folders, inside the folders that workflows may use, with commas or as a list.",
        json_schema_extra=form(placeholder="reports, notes/today.md"),
    )  # fmt: skip
    archive: str = Field(
        min_length=1, max_length=4096, description="The archive that is made; missing folders are made.",
        json_schema_extra=form(placeholder="backup/reports.zip"),
    )  # fmt: skip
    format: Literal["zip", "tar.gz"] = Field("zip", description="Kind of archive.")
    overwrite: bool = Field(
        False, description="Replace an archive that is there already; otherwise the step fails."
    )
    max_files: int = Field(10_000, ge=1, le=100_000, description="More files are refused.")
    max_mib: float = Field(
        2048, gt=0, le=65_536, title="Largest size (MiB)", description="More content is refused, in MiB."
    )


class Archive(Component[ArchiveConfig]):
    """Makes an archive."""

    id = "archive"
    name = "Make archive"
    description = "Packs files and folders into a zip or tar.gz archive."
    category = "Files"
    policy = StepPolicy.ONCE
    execution = Execution.THREAD
    config_model = ArchiveConfig

    @override
    def policy_for(self, config: ArchiveConfig) -> StepPolicy:
        """Make it again when it may be replaced."""
        return StepPolicy.KEYED if config.overwrite else StepPolicy.ONCE

    @override
    def execute(self, context: Context, config: ArchiveConfig, payload: Payload) -> Result:
        """Return ``path``, ``files`` (the names in it), ``file_count`` and ``size_bytes`` of the archive.

        A file is packed under its name, a folder under its own with all that is below; hidden files and links are
        left out.
        """
        entries = self._entries(context, config)
        path = context.files.writable(config.archive)
        entries = [entry for entry in entries if entry.path != path]
        with Draft(path, context.idempotency_key) as draft:
            pack(entries, draft.file, config.format, most_bytes=int(config.max_mib * _MIB))
            draft.file.seek(0, 2)
            size = draft.file.tell()
            draft.commit(overwrite=config.overwrite)
        names = [entry.name for entry in entries]
        data = {"path": str(path), "files": names, "file_count": len(names), "size_bytes": size}
        return Result.on("success", data, payload.history)

    @override
    def simulate(self, context: Context, config: ArchiveConfig, payload: Payload) -> Result:
        """Write nothing and read nothing; what would be packed is only known when it is there."""
        context.log(f"Simulated: would pack {', '.join(config.sources)} into {config.archive}.")
        data = {"path": config.archive, "files": [], "file_count": 0, "size_bytes": 0, "simulated": True}
        return Result.on("success", data, payload.history)

    @staticmethod
    def _entries(context: Context, config: ArchiveConfig) -> list[Entry]:
        return find_entries(context.files, config.sources, most=config.max_files)
