"""Settings that many components have, described once."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core_engine.components.fields import form


def records_member() -> Any:
    """Return the setting that names a list other than the data's own."""
    return Field(
        None, title="List",
        description="The list; empty takes the data itself or its records, items, rows or lines.",
        json_schema_extra=form(placeholder="{{ data.records }}"),
    )  # fmt: skip


def text_member() -> Any:
    """Return the setting that names a text other than the data's own."""
    return Field(
        None, description="The text; empty takes the data itself or its text.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.text }}", rows=4),
    )  # fmt: skip


def save_as_member(default: str) -> Any:
    """Return the setting that names the result in the data."""
    return Field(
        default, min_length=1, max_length=200, title="Save as",
        description="Name under which the result is added to the data.",
    )  # fmt: skip


def max_mib_member() -> Any:
    """Return the setting for the largest file or text that is read."""
    return Field(
        32.0, gt=0, le=256, title="Largest size (MiB)",
        description="Larger input is refused, in MiB (1 MiB = 1,048,576 bytes).",
    )  # fmt: skip


def simulated(what: str) -> str:
    """Return the log line of a simulated effect."""
    return f"Simulated: would {what}."
