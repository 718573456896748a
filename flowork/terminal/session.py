"""What every command has at hand: the environment, the settings, the two output streams, the questions."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import click
from pydantic import BaseModel
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from flowork.settings import CommandLineSettings, load_settings
from flowork.terminal.text import json_text, printable
from shared.errors import ErrorCode, FloworkError

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@dataclass
class Terminal:
    """One run of the command line; ``out`` is for results, ``err`` for everything else."""

    environ: Mapping[str, str]
    out: Console = field(default_factory=lambda: Console(highlight=False, markup=False, emoji=False))
    err: Console = field(
        default_factory=lambda: Console(stderr=True, highlight=False, markup=False, emoji=False)
    )

    @cached_property
    def settings(self) -> CommandLineSettings:
        """The settings; reading them raises CONFIGURATION."""
        return load_settings(self.environ)

    def say(self, text: str, *, style: str | None = None) -> None:
        """Print one line of ours as a result; parts that come from others are made printable by the caller."""
        self.out.print(Text(text, style=style or ""), soft_wrap=True)

    def note(self, text: str, *, style: str | None = "dim") -> None:
        """Print one line beside the result."""
        self.err.print(Text(text, style=style or ""), soft_wrap=True)

    def show_json(self, value: Any, *, indent: int | None = 2) -> None:
        """Print a contract model, a list of them or any JSON value as JSON."""
        self.out.print(Text(json_text(_plain(value), indent=indent)), soft_wrap=True)

    def show_table(self, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, empty: str) -> None:
        """Print rows as aligned columns, one line each; every cell is made printable."""
        if not rows:
            self.note(empty)
            return
        cells = [tuple(printable(cell) for cell in row) for row in rows]
        widths = [max(cell_len(row[index]) for row in (columns, *cells)) for index in range(len(columns))]
        self.say(_aligned(columns, widths), style="bold")
        for row in cells:
            self.say(_aligned(row, widths))

    def ask_secret(self, question: str, *, twice: bool = False) -> str:
        """Ask for a secret without showing it; raises CONFIGURATION where nobody can be asked."""
        if not sys.stdin.isatty():
            raise FloworkError(
                ErrorCode.CONFIGURATION,
                f"{question}: nobody can be asked here; set FLOWORK_PASSPHRASE (or FLOWORK_PRIVATE_KEY).",
            )
        return str(click.prompt(question, hide_input=True, confirmation_prompt=twice, err=True))


def _aligned(row: tuple[str, ...], widths: list[int]) -> str:
    return "  ".join(set_cell_size(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
