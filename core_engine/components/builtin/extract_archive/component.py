"""Takes the files out of an archive."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.extract_archive.unpacking import Bounds, Unpacker
from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_MIB = 1024 * 1024


class ExtractArchiveConfig(Config):
    """Which archive, where to, and what is too much."""

    archive: str = Field(
        min_length=1, max_length=4096,
        description="A zip, tar, tar.gz, tar.bz2 or tar.xz archive, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    folder: str = Field(
        min_length=1, max_length=4096, description="The folder that takes the files; missing folders are made.",
        json_schema_extra=form(placeholder="unpacked/today"),
    )  # fmt: skip
    overwrite: bool = Field(
        False, description="Replace files that are there already; otherwise the step fails."
    )
    max_files: int = Field(1000, ge=1, le=100_000, description="An archive with more files is refused.")
    max_mib: float = Field(
        512, gt=0, le=65_536, title="Largest size (MiB)",
        description="An archive with more content is refused, in MiB.",
    )  # fmt: skip
    max_ratio: float = Field(
        200, ge=1, le=1_000_000,
        description="An archive whose content is more than so many times its own size is refused as a bomb.",
    )  # fmt: skip


class ExtractArchive(Component[ExtractArchiveConfig]):
    """Unpacks an archive."""

    id = "extract_archive"
    name = "Extract archive"
    description = (
        "Takes the files out of a zip or tar archive; a harmful one is refused before anything is written."
    )
    category = "Files"
    policy = StepPolicy.ONCE
    execution = Execution.THREAD
    config_model = ExtractArchiveConfig

    @override
    def policy_for(self, config: ExtractArchiveConfig) -> StepPolicy:
        """Files that may be replaced can be taken out again."""
        return StepPolicy.KEYED if config.overwrite else StepPolicy.ONCE

    @override
    def execute(self, context: Context, config: ExtractArchiveConfig, payload: Payload) -> Result:
        """Return ``folder``, ``files`` (path, name, size_bytes), ``file_count`` and ``size_bytes`` of all.

        Names that lead outside, hidden ones, links and devices refuse the whole archive, as do too many files, too
        much content and too high a ratio. That is checked over the whole archive first.
        """
        archive = context.files.readable(config.archive)
        bounds = Bounds(config.max_files, int(config.max_mib * _MIB), config.max_ratio)
        unpacker = Unpacker(archive, bounds)
        unpacker.check()
        folder = config.folder.rstrip("/") or "/"
        files = unpacker.extract(
            lambda name: context.files.writable(f"{folder}/{name}"),
            context.idempotency_key,
            overwrite=config.overwrite,
        )
        size = sum(file["size_bytes"] for file in files)
        data = {"folder": config.folder, "files": files, "file_count": len(files), "size_bytes": size}
        return Result.on("success", data, payload.history)

    @override
    def simulate(self, context: Context, config: ExtractArchiveConfig, payload: Payload) -> Result:
        """Write nothing; what would be taken out is only known when the archive is there."""
        context.log(f"Simulated: would take the files of {config.archive} to {config.folder}.")
        data = {"folder": config.folder, "files": [], "file_count": 0, "size_bytes": 0, "simulated": True}
        return Result.on("success", data, payload.history)
