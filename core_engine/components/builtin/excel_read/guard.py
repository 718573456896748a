"""Refuses workbooks that are small as files but would fill the memory when they are read."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from itertools import pairwise

from core_engine.components.whole_files import MIB
from shared.errors import ErrorCode, FloworkError

_MOST_BYTES = 256 * MIB
_MOST_PARTS = 2000
_NO_WORKBOOK = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, LookupError, OverflowError, struct.error,
    zlib.error,
)  # fmt: skip
_MOST_CELLS = 20_000_000
_MOST_TEXT = 256 * MIB
_PLACE = re.compile(rb"""<[\w:]*c\s[^>]*?\br\s*=\s*["']([^"']*)["']""")
_CELL = re.compile(rb"([A-Z]{1,3})([0-9]{1,7})")
_STRING = re.compile(rb"<[\w:]*si[\s>/]")
_SHARED = re.compile(rb"<[\w:]*v[^>]*>\s*([0-9]{1,9})\s*<")


def refuse_bombs(content: bytes) -> None:
    """Raise COMPONENT_FAILED for what is no workbook, TOO_LARGE for what would not fit into memory."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            if len(parts) > _MOST_PARTS or sum(part.file_size for part in parts) > _MOST_BYTES:
                raise _too_large("it is too large when unpacked")
            texts = [archive.read(part) for part in parts if part.filename.endswith((".xml", ".XML"))]
    except _NO_WORKBOOK as error:
        message = "The file is not a workbook in the form .xlsx, or it has a password."
        raise FloworkError(ErrorCode.COMPONENT_FAILED, message) from error
    lengths: list[int] = []
    for text in texts:
        lengths += _string_lengths(text)
    for text in texts:
        _check_extent(text)
    if lengths and sum(_text_sizes(texts, lengths)) > _MOST_TEXT:
        raise _too_large("its cells repeat too much text")


def _string_lengths(text: bytes) -> list[int]:
    """Return how long each shared text is at most."""
    starts = [match.start() for match in _STRING.finditer(text)]
    return [end - start for start, end in pairwise([*starts, len(text)])]


def _text_sizes(texts: list[bytes], lengths: list[int]) -> list[int]:
    """Return the length of the shared text of each cell that could have one."""
    numbers = (int(match[1]) for text in texts for match in _SHARED.finditer(text))
    return [lengths[number] for number in numbers if number < len(lengths)]


def _check_extent(text: bytes) -> None:
    """Refuse a sheet whose cells are far apart: reading makes the whole rectangle between them."""
    last_row = last_column = 0
    for match in _PLACE.finditer(text):
        cell = _CELL.fullmatch(match[1])
        if cell is None:
            raise _too_large("a cell is at a place that cannot be read")
        column = 0
        for letter in cell[1]:
            column = column * 26 + letter - 64
        last_row, last_column = max(last_row, int(cell[2])), max(last_column, column)
    if last_row * last_column > _MOST_CELLS:
        raise _too_large(f"a sheet is {last_row} rows by {last_column} columns")


def _too_large(why: str) -> FloworkError:
    return FloworkError(ErrorCode.TOO_LARGE, f"The workbook cannot be read: {why}.")
