"""Shows the data that reaches it to whoever watches the run, and passes it on."""

from __future__ import annotations

from typing import Any

import msgspec
from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

MAX_CONTENT_BYTES = 256 * 1024
_SHOWN_CHARACTERS = 4000


class PopupConfig(Config):
    """How the popup looks."""

    popup_title: str = Field("Debug", description="Title of the popup.", max_length=200)
    content: Any = Field(
        None, description="What to show; empty shows the whole data.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=4),
    )  # fmt: skip
    theme_mode: str = Field("Default", description="Look of the popup.", max_length=50)
    auto_close_seconds: float = Field(
        0, ge=0, le=86_400, description="Closes by itself after so many seconds; 0 stays."
    )
    show_metadata: bool = Field(False, description="Also show which step and which attempt it was.")


class DebugPopup(Component[PopupConfig]):
    """Shows data."""

    id = "debug_popup_module"
    name = "Debug popup"
    description = "Shows the data that reaches it in a popup and passes it on unchanged."
    category = "Debug"
    config_model = PopupConfig

    @override
    def execute(self, context: Context, config: PopupConfig, payload: Payload) -> Result:
        """Show and pass on."""
        content = payload.data if config.content in (None, "") else config.content
        look: dict[str, Any] = {
            "theme_mode": config.theme_mode,
            "auto_close_seconds": config.auto_close_seconds,
        }
        if config.show_metadata:
            look["metadata"] = {
                "run_id": context.run_id, "node_id": context.node_id, "node_name": context.node_name,
                "attempt": context.attempt, "mode": context.mode.value,
            }  # fmt: skip
        context.popup(config.popup_title, _shorten(content), look)
        return Result({"success": payload})


def _shorten(content: Any) -> Any:
    """Keep what is sent to every watcher small."""
    encoded = msgspec.json.encode(content)
    if len(encoded) <= MAX_CONTENT_BYTES:
        return content
    shown = (
        content if isinstance(content, str) else encoded[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "ignore")
    )
    return f"{shown[:_SHOWN_CHARACTERS]}…\n({len(encoded)} bytes in all)"
