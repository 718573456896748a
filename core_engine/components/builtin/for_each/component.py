"""Runs the nodes inside it, or a saved workflow, once for each item."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.for_each.items import batches, describe_file, read_items
from core_engine.components.children import body_or_preset, called, described, first_failure, outcome_of
from core_engine.components.fields import form
from core_engine.components.files import open_folder
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context, Files
from core_engine.kernel.family import MAX_PARALLEL, ChildRuns, RunsOutcome
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Answer, Suspend
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

_MOST_COLLECTED = 32 * 1024 * 1024


class ForEachConfig(Config):
    """Which items, what is done with each, and how many at a time."""

    items: Any = Field(
        None, description="The items, a list; empty takes the data's items, or the data itself when it is a list.",
        json_schema_extra=form(placeholder="{{ data.orders[?open] }}"),
    )  # fmt: skip
    source_file: str = Field(
        "", max_length=4096,
        description="A file to read the items from, however many: lines of JSON, one JSON array, or CSV with a header.",
        json_schema_extra=form(placeholder="orders.ndjson"),
    )  # fmt: skip
    source_format: Literal["auto", "ndjson", "json", "csv"] = Field(
        "auto", description="How the file is written; auto goes by its ending, else lines of JSON."
    )
    batch_size: int = Field(
        1, ge=1, le=10_000, description="How many items one run is given; from 2 on as a list."
    )
    parallel: int = Field(
        1, ge=1, le=MAX_PARALLEL, description="How many runs go on at the same time, at most."
    )
    on_error: Literal["stop", "continue"] = Field(
        "stop",
        description="stop: the first failure stops the loop and fails the step. continue: all items run.",
    )
    collect: bool = Field(True, description="Hand the results on; else only the counts.")
    results_file: str = Field(
        "", max_length=4096,
        description="A file to write the results to, one line of JSON each, instead of handing them on.",
        json_schema_extra=form(placeholder="results.ndjson"),
    )  # fmt: skip
    preset_name: str = Field(
        "",
        max_length=200,
        description="A saved workflow to run for each item, instead of nodes inside the loop.",
    )


class ForEach(Component[ForEachConfig]):
    """Loops over items."""

    id = "for_each"
    name = "For each"
    description = (
        "Runs the nodes inside it, or a saved workflow, once for each item, several at a time. An item's run is given"
        " item, index, count and input; what its last nodes give is its result. Finished items are never run again."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    execution = Execution.THREAD
    config_model = ForEachConfig
    holds_body = True

    @override
    def body_problem(self, config: ForEachConfig, *, has_body: bool) -> str | None:
        """Want either a body or a saved workflow."""
        return body_or_preset(config.preset_name, has_body=has_body)

    @override
    def policy_for(self, config: ForEachConfig) -> StepPolicy:
        """Let writing the results be repeated: it leaves the same file."""
        return StepPolicy.KEYED if config.results_file else StepPolicy.REPEATABLE

    @override
    def execute(self, context: Context, config: ForEachConfig, payload: Payload) -> Suspend:
        """Ask for the runs."""
        workflow = called(context, config.preset_name)
        items, source = None, None
        if config.source_file:
            source = describe_file(context.files, config.source_file, config.source_format, config.batch_size)
        else:
            items = list(batches(iter(_items(config, payload.data)), config.batch_size))
        runs = ChildRuns(
            items=items, source=source, workflow=workflow, parallel=config.parallel, on_error=config.on_error
        )
        return Suspend(runs=runs)

    @override
    def open_items(self, files: Files, source: Mapping[str, Any]) -> Iterator[Any]:
        """Read the file's items."""
        return read_items(files, source)

    @override
    def resume(self, context: Context, config: ForEachConfig, payload: Payload, answer: Answer) -> Result:
        """Return ``count``, ``succeeded``, ``failed``, ``errors``, ``results``, and ``broken`` after a loop_break."""
        outcome = outcome_of(answer)
        if outcome.failed and config.on_error == "stop":
            raise first_failure(outcome, f"Item {outcome.errors[0].index} of the loop")
        data: dict[str, Any] = {
            "count": outcome.count, "succeeded": outcome.succeeded, "failed": outcome.failed,
            "broken": outcome.broken, "errors": described(outcome), "results": [],
        }  # fmt: skip
        if config.results_file:
            data["results_file"] = config.results_file
            if context.mode is RunMode.EXECUTE:
                _write(context, config.results_file, outcome)
        elif config.collect:
            data["results"] = _collected(outcome)
        return Result.on("success", data, payload.history)


def _items(config: ForEachConfig, data: Any) -> list[Any]:
    items = config.items
    if items is None or items == "":
        items = data.get("items") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise FloworkError(ErrorCode.COMPONENT_FAILED, "There are no items: a list is needed.")
    return items


def _collected(outcome: RunsOutcome) -> list[Any]:
    results, size = [], 0
    for _, data in outcome.results():
        size += len(json.dumps(data))
        if size > _MOST_COLLECTED:
            text = f"The results are larger than {_MOST_COLLECTED} bytes: set a results_file, or collect to false."
            raise FloworkError(ErrorCode.TOO_LARGE, text)
        results.append(data)
    return results


def _write(context: Context, path: str, outcome: RunsOutcome) -> None:
    """Write the results beside the target and rename: readers see all of them or the file of before."""
    real = context.files.writable(path)
    draft = f".{hashlib.sha256(f'{real}{context.idempotency_key}'.encode()).hexdigest()[:24]}.tmp"
    folder = open_folder(real.parent)
    try:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(draft, flags, 0o644, dir_fd=folder), "w", encoding="utf-8") as file:
            for index, data in outcome.results():
                file.write(json.dumps({"index": index, "result": data}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, real.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)
