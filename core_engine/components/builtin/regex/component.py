"""Finds, replaces and splits with a regular expression."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from core_engine.components.builtin.regex.matching import Pattern, compile_pattern
from core_engine.components.fields import form
from core_engine.components.members import save_as_member, text_member
from core_engine.components.records import succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class RegexConfig(Config):
    """The pattern and what is done with it."""

    action: Literal["find_first", "find_all", "test", "replace", "split"] = Field(
        "find_first",
        description="Find the first match or all, tell whether there is one, replace all matches, or split at them.",
    )
    pattern: str = Field(
        min_length=1, max_length=8000,
        description="A regular expression (RE2: no look-around, no back references). Groups are ( ) or (?P<name> ).",
        json_schema_extra=form(widget="code", language="regex", rows=3, placeholder="order (?P<number>[0-9]+)"),
    )  # fmt: skip
    text: Any = text_member()
    replacement: str = Field(
        "", max_length=10_000,
        description=r"What replace puts in place of each match; \1 to \9 are the groups and \0 is the whole match.",
    )  # fmt: skip
    ignore_case: bool = Field(False, description="Take upper and lower case as the same.")
    multi_line: bool = Field(False, description="Let ^ and $ match at each line's begin and end.")
    dot_all: bool = Field(False, description="Let . match line breaks as well.")
    most: int = Field(
        10_000, ge=1, le=1_000_000, description="How many matches are found or replaced at most."
    )
    save_as: str = save_as_member("result")

    @property
    def compiled(self) -> Pattern:
        """The pattern with its switches. Raises ValueError."""
        flags = {"i": self.ignore_case, "m": self.multi_line, "s": self.dot_all}
        return compile_pattern(self.pattern, "".join(sign for sign, on in flags.items() if on))

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        compile_pattern(pattern, "")
        return pattern

    @model_validator(mode="after")
    def _replacement_fits(self) -> RegexConfig:
        if self.action == "replace":
            self.compiled.check_replacement(self.replacement)
        return self


class Regex(Component[RegexConfig]):
    """Matches."""

    id = "regex"
    name = "Regular expression"
    description = (
        "Finds, tests, replaces or splits a text with a regular expression. It takes no longer than the text is"
        " long, whatever the pattern."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = RegexConfig
    raw_fields = frozenset({"pattern"})

    @override
    def execute(self, context: Context, config: RegexConfig, payload: Payload) -> Result:
        """Return the result: a match ``{"match", "groups", "named", "start", "end"}``, matches, a text or a boolean.

        ``found`` tells whether the pattern matched, ``count`` how often (at most ``most``). Positions count
        characters.
        """
        text, pattern = text_of(config.text, payload.data), config.compiled
        if config.action == "test":
            found = pattern.find(text, 1)
            return succeed(payload, **{config.save_as: bool(found), "found": bool(found)})
        result: Any
        if config.action == "replace":
            result, count = pattern.replace(text, config.replacement, config.most)
        elif config.action == "split":
            result, count = pattern.split(text, config.most)
        else:
            result = pattern.find(text, 1 if config.action == "find_first" else config.most)
            count = len(result)
            if config.action == "find_first":
                result = result[0] if result else None
        return succeed(payload, **{config.save_as: result, "found": count > 0, "count": count})
