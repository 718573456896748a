"""Copies, moves, renames or deletes a file."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core_engine.components.builtin.move_file.moving import copy, delete, move
from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError


class MoveFileConfig(Config):
    """Which file, and what becomes of it."""

    action: Literal["copy", "move", "rename", "delete"] = Field(
        "move", description="What is done. rename: it stays in its folder."
    )
    path: str = Field(
        min_length=1, max_length=4096, description="The file, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    target: str = Field(
        "", max_length=4096,
        description=(
            "Where it goes (copy, move): a file, or a folder when it ends with /; missing folders are made."
            " For rename the new name."
        ),
        json_schema_extra=form(placeholder="done/"),
    )  # fmt: skip
    overwrite: bool = Field(
        False, description="Replace a file that is there already; otherwise the step fails."
    )
    for_good: bool = Field(
        False, description="Delete at once instead of moving it into the trash folder, for delete."
    )
    trash: str = Field(
        "trash", min_length=1, max_length=1000, title="Trash folder",
        description="Folder that takes deleted files, inside the folders of workflows; you empty it yourself.",
    )  # fmt: skip
    missing: Literal["fail", "ignore"] = Field("fail", description="What happens when the file is not there.")

    @model_validator(mode="after")
    def _has_a_target(self) -> Self:
        if self.action != "delete" and not self.target.strip():
            raise ValueError("target: copy, move and rename need one")
        if self.action == "rename" and "/" in self.target:
            raise ValueError("target: rename takes a name, not a path; use move")
        return self


class MoveFile(Component[MoveFileConfig]):
    """Moves a file."""

    id = "move_file"
    name = "Move file"
    description = "Copies, moves, renames or deletes a file in the folders that workflows may use."
    category = "Files"
    policy = StepPolicy.ONCE
    execution = Execution.THREAD
    config_model = MoveFileConfig

    @override
    def policy_for(self, config: MoveFileConfig) -> StepPolicy:
        """Repeat what ends the same however often: a copy that may replace, a deletion that needs no file."""
        settled = (config.action == "copy" and config.overwrite) or (
            config.action == "delete" and config.missing == "ignore"
        )
        return StepPolicy.KEYED if settled else StepPolicy.ONCE

    @override
    def execute(self, context: Context, config: MoveFileConfig, payload: Payload) -> Result:
        """Return ``action``, ``path`` (where it was), ``target`` (where it is, null when it is gone) and ``done``."""
        try:
            source = context.files.readable(config.path)
        except FloworkError as error:
            if error.code is ErrorCode.NOT_FOUND and config.missing == "ignore":
                return Result.on("success", _receipt(config, config.path, None, done=False), payload.history)
            raise
        if config.action == "delete" and config.for_good:
            delete(source)
            return Result.on("success", _receipt(config, str(source), None, done=True), payload.history)
        target = context.files.writable(
            _target(config, source.name, str(source.parent), context.idempotency_key)
        )
        if target == source:
            raise FloworkError(ErrorCode.CONFLICT, f"{source.name!r} is there already.")
        work = copy if config.action == "copy" else move
        work(source, target, context.idempotency_key, overwrite=config.overwrite or config.action == "delete")
        return Result.on("success", _receipt(config, str(source), str(target), done=True), payload.history)

    @override
    def simulate(self, context: Context, config: MoveFileConfig, payload: Payload) -> Result:
        """Say what `execute` would do, without looking at the file."""
        path = PurePosixPath(config.path)
        gone = config.action == "delete" and config.for_good
        target = None if gone else _target(config, path.name, str(path.parent), context.idempotency_key)
        context.log(f"Simulated: would {config.action} {config.path}.")
        data = {**_receipt(config, config.path, target, done=True), "simulated": True}
        return Result.on("success", data, payload.history)


def _target(config: MoveFileConfig, name: str, parent: str, key: str) -> str:
    if config.action == "delete":  # the key keeps files of the same name apart
        stem, dot, suffix = name.rpartition(".") if "." in name else (name, "", "")
        return f"{config.trash.rstrip('/')}/{stem}-{key[-12:]}{dot}{suffix}"
    if config.action == "rename":
        return f"{parent}/{config.target.strip()}"
    return config.target + name if config.target.endswith("/") else config.target


def _receipt(config: MoveFileConfig, path: str, target: str | None, *, done: bool) -> dict[str, Any]:
    return {"action": config.action, "path": path, "target": target, "done": done}
