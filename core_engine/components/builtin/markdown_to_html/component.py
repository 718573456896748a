"""Renders Markdown."""

from __future__ import annotations

import html
from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.members import save_as_member, text_member
from core_engine.components.records import succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MOST_CHARACTERS = 2_000_000


class MarkdownConfig(Config):
    """What is rendered."""

    text: Any = text_member()
    tables: bool = Field(True, description="Read tables and ~~struck out~~ text as well.")
    line_breaks: bool = Field(False, description="Make a line break of every single one.")
    whole_page: bool = Field(False, description="Make a whole page with a head, not only the body's content.")
    title: str = Field("", max_length=200, description="The title of a whole page.")
    save_as: str = save_as_member("html")


class MarkdownToHtml(Component[MarkdownConfig]):
    """Makes HTML."""

    id = "markdown_to_html"
    name = "Markdown to HTML"
    description = (
        "Turns Markdown into HTML. HTML inside the Markdown is shown as text, and links cannot run scripts."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = MarkdownConfig

    @override
    def execute(self, context: Context, config: MarkdownConfig, payload: Payload) -> Result:
        """Return the HTML."""
        from markdown_it import MarkdownIt  # noqa: PLC0415 - heavy, only where used

        text = text_of(config.text, payload.data)
        if len(text) > _MOST_CHARACTERS:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The text has more than {_MOST_CHARACTERS} characters.")
        renderer = MarkdownIt("commonmark", {"html": False, "breaks": config.line_breaks})
        if config.tables:
            renderer.enable(["table", "strikethrough"])
        body = renderer.render(text)
        return succeed(payload, **{config.save_as: _page(config.title, body) if config.whole_page else body})


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"<!doctype html>\n<html><head>{head}</head>\n<body>\n{body}</body></html>\n"
