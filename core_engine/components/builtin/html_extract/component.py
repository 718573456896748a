"""Picks data out of web pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.builtin.html_extract.picking import Pick, check_selector, extract
from core_engine.components.fields import JsonList, form
from core_engine.components.members import save_as_member, text_member
from core_engine.components.records import succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MOST_CHARACTERS = 16 * 1024 * 1024


class HtmlConfig(Config):
    """What is picked."""

    fields: JsonList[Pick] = Field(
        min_length=1, max_length=100,
        description=(
            'A list of {"name", "selector", "take", "attribute", "many"}. selector is a CSS selector (empty: the row'
            " itself); take is text, html, attribute, table or exists; many makes a list of all matches."
        ),
        json_schema_extra=form(language="json", rows=10),
    )  # fmt: skip
    rows: str = Field(
        "", max_length=1000,
        description="A CSS selector: the fields are picked inside each match, which makes a list; empty picks once.",
        json_schema_extra=form(placeholder="ul.results > li"),
    )  # fmt: skip
    text: Any = text_member()
    tidy: bool = Field(True, description="Make single spaces of all white space in texts.")
    save_as: str = save_as_member("html")

    @field_validator("rows")
    @classmethod
    def _selects(cls, rows: str) -> str:
        return check_selector(rows)


class HtmlExtract(Component[HtmlConfig]):
    """Reads HTML."""

    id = "html_extract"
    name = "Extract from HTML"
    description = "Picks texts, attributes, lists and tables out of a web page with CSS selectors."
    category = "Data"
    execution = Execution.THREAD
    config_model = HtmlConfig

    @override
    def execute(self, context: Context, config: HtmlConfig, payload: Payload) -> Result:
        """Return an object of the fields, or a list of them; what is not found is none, or an empty list."""
        text = text_of(config.text, payload.data)
        if len(text) > _MOST_CHARACTERS:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The page has more than {_MOST_CHARACTERS} characters.")
        found = extract(text, config.rows, config.fields, tidy=config.tidy)
        return succeed(payload, **{config.save_as: found})
