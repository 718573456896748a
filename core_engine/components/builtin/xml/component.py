"""Reads and writes XML."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.xml.document import build, parse
from core_engine.components.fields import Words, form
from core_engine.components.records import succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class XmlConfig(Config):
    """Which way, and how."""

    action: Literal["parse", "build"] = Field(
        "parse", description="Make data of an XML text, or an XML text of data."
    )
    text: Any = Field(
        None, title="XML or data",
        description="The XML text, or the data to build from; empty takes the data itself or its text.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=4),
    )  # fmt: skip
    force_lists: Words = Field(
        default_factory=list, max_length=200,
        description="Elements that are always lists, also where there is only one; with commas between them.",
        json_schema_extra=form(placeholder="item, order"),
    )  # fmt: skip
    attributes: bool = Field(True, description="Read attributes too; their names begin with @.")
    root: str = Field(
        "", max_length=200, description="Name of the outermost element to build; empty takes the data's only member."
    )  # fmt: skip
    pretty: bool = Field(True, description="Write every element on a line of its own.")
    save_as: str = Field(
        "", max_length=200, title="Save as",
        description="Name under which the result is added to the data; empty is xml or, when building, text.",
    )  # fmt: skip


class Xml(Component[XmlConfig]):
    """Turns XML into data and back."""

    id = "xml"
    name = "XML"
    description = (
        "Turns XML into data or data into XML. Attributes have an @ before their names, an element's text beside them"
        " is #text. Documents with a document type are refused: entities are never read."
    )
    category = "Data"
    execution = Execution.THREAD
    config_model = XmlConfig

    @override
    def execute(self, context: Context, config: XmlConfig, payload: Payload) -> Result:
        """Return the data or the text."""
        if config.action == "parse":
            text = text_of(config.text, payload.data)
            found = parse(text, force_lists=config.force_lists, attributes=config.attributes)
            return succeed(payload, **{config.save_as or "xml": found})
        value = payload.data if config.text is None else config.text
        return succeed(payload, **{config.save_as or "text": build(value, config.root, pretty=config.pretty)})
