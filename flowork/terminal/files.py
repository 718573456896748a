"""Reads the JSON files that a command is given."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import parse_object


def read_object(name: str) -> dict[str, Any]:
    """Return the JSON object of a file, or of standard input for ``-``; raises NOT_FOUND, INVALID_REQUEST."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError as error:
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no file {name}.") from error
    except OSError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"Cannot read {name}: {error.strerror}.") from error
    try:
        return parse_object(raw)
    except FloworkError as error:
        raise FloworkError(error.code, f"{name}: {error.message}", details=error.details) from error


def read_workflow(name: str) -> dict[str, Any]:
    """Return the workflow of a file: the graph itself, or a preset file that holds it as ``workflow_data``."""
    value = read_object(name)
    inner = value.get("workflow_data")
    return inner if isinstance(inner, dict) and "nodes" not in value else value


def parse_inputs(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return ``key=text`` and ``key:=json`` arguments as an object; raises INVALID_REQUEST."""
    values: dict[str, Any] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        as_json = key.endswith(":")
        key = key.removesuffix(":")
        if not sign or not key:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"--input {pair}: expected key=text or key:=json.")
        try:
            values[key] = json.loads(text) if as_json else text
        except ValueError as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"--input {pair}: {error}.") from error
    return values
