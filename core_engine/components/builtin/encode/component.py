"""Writes texts in other ways, and reads them back."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.encode.coding import DECODERS, ENCODERS, Format
from core_engine.components.members import save_as_member, text_member
from core_engine.components.records import fail, succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class EncodeConfig(Config):
    """Which way."""

    action: Literal["encode", "decode"] = Field("encode", description="Write it that way, or read it back.")
    format: Format = Field(
        "base64",
        description="base64, base64url (for addresses, without =), hex, url (percent signs), html (entities) or json.",
    )
    text: Any = text_member()
    save_as: str = save_as_member("text")


class Encode(Component[EncodeConfig]):
    """Encodes and decodes."""

    id = "encode"
    name = "Encode and decode"
    description = "Writes a text as Base64, hex, for addresses, for HTML or as JSON, and reads it back."
    category = "Data"
    execution = Execution.THREAD
    config_model = EncodeConfig

    @override
    def execute(self, context: Context, config: EncodeConfig, payload: Payload) -> Result:
        """Return the text; decoded JSON may be any value, and encoding JSON takes any."""
        if config.action == "encode" and config.format == "json":
            value = config.text if config.text is not None else payload.data
            return succeed(payload, **{config.save_as: ENCODERS["json"](value)})
        text = text_of(config.text, payload.data)
        if config.action == "encode":
            return succeed(payload, **{config.save_as: ENCODERS[config.format](text)})
        try:
            return succeed(payload, **{config.save_as: DECODERS[config.format](text)})
        except ValueError as error:
            raise fail(f"The text is not {config.format}: {error}.") from error
