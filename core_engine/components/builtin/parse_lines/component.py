"""Reads fields out of lines of text with a pattern."""

from __future__ import annotations

from typing import Any

import re2
from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Execution, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

MAX_LINES = 2_000_000
_SHOWN_CHARACTERS = 500
_PATTERN_MEMORY = 16 * 1024 * 1024


class ParseLinesConfig(Config):
    """The pattern and where the lines come from."""

    pattern: str = Field(
        min_length=1, max_length=8000,
        description="A regular expression that fits whole lines; its named groups (?P<name>…) become the fields.",
        json_schema_extra=form(widget="code", language="regex", rows=3, placeholder="(?P<level>[A-Z]+) (?P<text>.*)"),
    )  # fmt: skip
    lines: Any = Field(
        None, description="The lines, as a list or a text; empty takes the data's lines or text.",
        json_schema_extra=form(placeholder="{{ data.lines }}"),
    )  # fmt: skip
    max_unmatched: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="How many of the lines that do not fit are handed on; all are counted.",
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compile_pattern(pattern)
        return pattern


class ParseLines(Component[ParseLinesConfig]):
    """Turns lines into records."""

    id = "parse_lines"
    name = "Parse lines"
    description = (
        "Turns lines of text into records with a pattern. Lines that fit leave at matched, the others at unmatched;"
        " both ports become active when there are lines for both."
    )
    category = "Data"
    outputs = (
        Port("matched", "Matched", "records: one object for each line that fits."),
        Port("unmatched", "Unmatched", "lines: number and text of each line that does not fit."),
        Port("error", "Error"),
    )
    execution = Execution.THREAD
    config_model = ParseLinesConfig
    raw_fields = frozenset({"pattern"})

    @override
    def execute(self, context: Context, config: ParseLinesConfig, payload: Payload) -> Result:
        """Match every line; the time grows with the text only, whatever the pattern (RE2)."""
        lines = _lines(config.lines, payload.data)
        records, odd, odd_count = _parse(config.pattern, lines, config.max_unmatched)
        outputs = {}
        if records or not odd_count:
            matched = {"records": records, "count": len(records), "total": len(lines)}
            outputs["matched"] = Payload(matched, payload.history)
        if odd_count:
            unmatched = {"lines": odd, "count": odd_count, "total": len(lines)}
            outputs["unmatched"] = Payload(unmatched, payload.history)
        context.log(f"{len(records)} lines fit the pattern, {odd_count} do not.")
        return Result(outputs)


def compile_pattern(pattern: str) -> Any:
    """Compile a pattern with bounded memory. Raises ValueError for a wrong one or one without named groups."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(f"the pattern is not valid: {error}") from error
    if not compiled.groupindex:
        raise ValueError("the pattern names no group: write (?P<name>…) around each field")
    return compiled


def _lines(given: Any, data: Any) -> list[str]:
    if given in (None, "") and isinstance(data, dict):
        given = data.get("lines", data.get("text"))
    elif given in (None, ""):
        given = data
    if isinstance(given, str):
        given = given.split("\n")
        if not given[-1]:
            given.pop()
    if not isinstance(given, list) or not all(isinstance(line, str) for line in given):
        raise FloworkError(
            ErrorCode.COMPONENT_FAILED, "There are no lines: the data has neither lines nor text."
        )
    if len(given) > MAX_LINES:
        raise FloworkError(ErrorCode.TOO_LARGE, f"More than {MAX_LINES} lines.")
    return given


def _parse(
    pattern: str, lines: list[str], keep: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    compiled = compile_pattern(pattern)
    fields = [(name, number - 1) for name, number in compiled.groupindex.items()]
    fields.sort(key=lambda field: field[1])
    records: list[dict[str, Any]] = []
    odd: list[dict[str, Any]] = []
    odd_count = 0
    for position, line in enumerate(lines, start=1):
        match = compiled.fullmatch(line.encode("utf-8", "replace"))
        if match is not None:
            texts = [None if group is None else group.decode("utf-8", "replace") for group in match.groups()]
            records.append({name: texts[index] for name, index in fields})
            continue
        odd_count += 1
        if len(odd) < keep:
            odd.append({"number": position, "text": line[:_SHOWN_CHARACTERS]})
    return records, odd, odd_count
