"""Reads a ``.env`` file: ``KEY=VALUE`` lines that fill in what the process environment does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from shared.errors import ErrorCode, FloworkError

FILE = ".env"
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def read_environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, completed from the folder's ``.env``; what the process was given wins."""
    try:
        text = (folder / FILE).read_text("utf-8")
    except FileNotFoundError:
        return dict(environ)
    except (OSError, UnicodeDecodeError) as error:
        raise FloworkError(ErrorCode.CONFIGURATION, f"Cannot read {folder / FILE}: {error}.") from error
    return parse(text) | dict(environ)


def parse(text: str) -> dict[str, str]:
    """Return the variables of the text; raises CONFIGURATION naming the first line that is none.

    Blank lines and ``#`` lines are skipped; a value may stand in single or double quotes; without quotes it
    ends before ``" #"``. Nothing is substituted.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise FloworkError(ErrorCode.CONFIGURATION, f"{FILE}, line {number}: expected NAME=value.")
        values[match[1]] = _unquoted(match[2], number)
    return values


def _unquoted(value: str, number: int) -> str:
    quote = value[:1]
    if quote not in {"'", '"'}:
        return re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
    end = value.find(quote, 1)
    rest = value[end + 1 :].strip()
    if end < 0 or (rest and not rest.startswith("#")):
        raise FloworkError(ErrorCode.CONFIGURATION, f"{FILE}, line {number}: the quotes do not match.")
    return value[1:end]
