"""Small operations on texts."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.text.operations import OPERATIONS, Operation, Wish
from core_engine.components.fields import form
from core_engine.components.members import save_as_member
from core_engine.components.records import records_of, succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MOST_CHARACTERS = 16 * 1024 * 1024


class TextConfig(Config):
    """The operation and what it needs."""

    operation: Operation = Field(
        "trim",
        description=(
            "trim takes spaces off both ends; upper, lower, title and sentence change the case; replace puts"
            " replacement in place of every search; join makes one text of a list, split a list of a text; pad_start"
            " and pad_end fill up to length; truncate cuts to length with an ellipsis; slice takes from start to end;"
            " slug makes a name for addresses; lines splits at line ends; length counts characters;"
            " one_line makes single spaces of all white space; remove_accents turns é into e; reverse turns it round."
        ),
    )
    text: Any = Field(
        None, description="The text, for join the list; empty takes the data itself or its text (its list).",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=4),
    )  # fmt: skip
    search: str = Field("", max_length=10_000, description="What replace looks for.")
    replacement: str = Field("", max_length=10_000, description="What replace puts there.")
    separator: str = Field(
        ", ", max_length=1000, description="What join puts between items, and where split splits."
    )
    length: int = Field(80, ge=0, le=1_000_000, description="For pad and truncate, in characters.")
    fill: str = Field(" ", min_length=1, max_length=10, description="What pad fills up with.")
    start: int = Field(0, description="Where slice begins; negative counts from the end.")
    end: int | None = Field(None, description="Before which character slice ends; empty goes to the end.")
    save_as: str = save_as_member("text")


class Text(Component[TextConfig]):
    """Works on a text."""

    id = "text"
    name = "Text"
    description = "Joins, splits, trims, pads, cuts, replaces and changes the case of texts."
    category = "Data"
    execution = Execution.THREAD
    config_model = TextConfig

    @override
    def execute(self, context: Context, config: TextConfig, payload: Payload) -> Result:
        """Return the new text (split and lines: a list, length: a number)."""
        given: str | list[Any]
        if config.operation == "join":
            given = records_of(config.text, payload.data)
        else:
            given = text_of(config.text, payload.data)
            if len(given) > _MOST_CHARACTERS:
                raise FloworkError(
                    ErrorCode.TOO_LARGE, f"The text has more than {_MOST_CHARACTERS} characters."
                )
        wish = Wish(
            search=config.search, replacement=config.replacement, separator=config.separator,
            length=config.length, fill=config.fill, start=config.start, end=config.end,
        )  # fmt: skip
        return succeed(payload, **{config.save_as: OPERATIONS[config.operation](given, wish)})
