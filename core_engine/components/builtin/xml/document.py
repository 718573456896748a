"""XML texts to data and back, without entities, document types or endless nesting."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

import xmltodict

from core_engine.components.records import fail
from shared.errors import ErrorCode, FloworkError

MOST_CHARACTERS = 32 * 1024 * 1024
MOST_DEPTH = 50


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """The document holds what is not read."""


def parse(text: str, *, force_lists: list[str], attributes: bool) -> Any:
    """Return the data of a document. Raises COMPONENT_FAILED or TOO_LARGE."""
    if len(text) > MOST_CHARACTERS:
        raise FloworkError(ErrorCode.TOO_LARGE, f"The XML has more than {MOST_CHARACTERS} characters.")
    content = text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace")
    _check(content, "The text")
    return xmltodict.parse(
        content,
        encoding="utf-8",
        force_list=tuple(force_lists),
        xml_attribs=attributes,
        disable_entities=True,
    )


def build(value: Any, root: str, *, pretty: bool) -> str:
    """Return a document. Raises COMPONENT_FAILED for data that makes no well-formed one."""
    data = {root: value} if root else value
    if not isinstance(data, dict) or len(data) != 1:
        raise fail("XML has one outermost element: name it, or give an object with one member.")
    try:
        text: str = xmltodict.unparse(data, pretty=pretty)
    except (ValueError, TypeError, AttributeError) as error:
        raise fail(f"The data makes no XML: {error}") from error
    _check(text.encode("utf-8", "replace"), "What the data makes")
    return text


def _check(content: bytes, what: str) -> None:
    """Read a document once, without keeping anything, and raise where it is not one for us."""
    parser = expat.ParserCreate("utf-8")
    depth = 0

    def begin(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEPTH:
            raise _Refused(f"it is nested deeper than {MOST_DEPTH} elements")

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: Any) -> None:
        raise _Refused("it has a document type; entities are not read")

    parser.StartElementHandler = begin
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (_Refused, expat.ExpatError) as error:
        raise fail(f"{what} is not XML that can be used: {error}.") from error
