"""Reads the items of a loop out of a file, one by one: as many as there are, a few in memory."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from core_engine.components.files import open_regular
from core_engine.kernel.context import Files
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

LONGEST_ITEM = 16 * 1024 * 1024
_CHUNK = 64 * 1024
_BLANK = " \t\r\n"


def describe_file(files: Files, path: str, form: str, batch_size: int) -> dict[str, Any]:
    """Return what `read_items` needs to read the very same items again; raises NOT_FOUND or FORBIDDEN."""
    facts = files.readable(path).stat()
    return {
        "path": path,
        "format": form if form != "auto" else _form_of(path),
        "batch_size": batch_size,
        "size": facts.st_size,
        "modified": str(facts.st_mtime_ns),
    }


def read_items(files: Files, source: Mapping[str, Any]) -> Iterator[Any]:
    """Read the items of a described file; raises CONFLICT when it has changed since, and for what is unreadable."""
    real = files.readable(source["path"])
    facts = real.stat()
    if (facts.st_size, str(facts.st_mtime_ns)) != (source["size"], source["modified"]):
        text = f"The file {source['path']} has changed since the loop began."
        raise FloworkError(ErrorCode.CONFLICT, text)
    with open_regular(real) as file:
        yield from batches(_READERS[source["format"]](file), source["batch_size"])


def batches(items: Iterator[Any], size: int) -> Iterator[Any]:
    """Return the items, or lists of so many of them."""
    if size <= 1:
        yield from items
        return
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _form_of(path: str) -> str:
    ending = path.rsplit(".", 1)[-1].lower()
    return {"csv": "csv", "json": "json"}.get(ending, "ndjson")


def _decoded(content: bytes, place: str) -> Any:
    try:
        check_depth(content, MAX_DEPTH)
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"{place} is no JSON value: {error}") from error


def _read_lines(file: BinaryIO) -> Iterator[Any]:
    number = 0
    while line := file.readline(LONGEST_ITEM + 1):
        number += 1
        if len(line) > LONGEST_ITEM:
            raise _too_long(f"Line {number}")
        if line.strip():
            yield _decoded(line, f"Line {number}")


def _read_table(file: BinaryIO) -> Iterator[Any]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        for row in csv.DictReader(_bounded_lines(text), restkey="more"):
            yield dict(row)
    finally:
        text.detach()  # the file is its owner's to close


def _bounded_lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_ITEM + 1):
        if len(line) > LONGEST_ITEM:
            raise _too_long("A line")
        yield line


def _read_array(file: BinaryIO) -> Iterator[Any]:
    """Read the elements of one large array without holding it: each is decoded once it is there as a whole."""
    reader = _ArrayReader(file)
    if reader.next_sign() != "[":
        raise FloworkError(ErrorCode.COMPONENT_FAILED, "The file does not hold a JSON array.")
    sign = reader.next_sign()
    while sign != "]":
        yield reader.element(sign)
        sign = reader.next_sign()
        if sign == ",":
            sign = reader.next_sign()
            if sign == "]":
                raise FloworkError(ErrorCode.COMPONENT_FAILED, "The JSON array ends with a comma.")
        elif sign != "]":
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, "The JSON array has no comma between two elements."
            )


class _ArrayReader:
    """Cuts a JSON array into the texts of its elements; only brackets, texts and commas are looked at."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._count = 0

    def next_sign(self) -> str:
        """Return the next character that is no white space."""
        while (sign := self._take()) in _BLANK:
            pass
        return sign

    def element(self, first: str) -> Any:
        """Return the element that begins with a character that was taken already."""
        self._count += 1
        parts: list[str] = []
        depth, quoted, escaped, size = 0, False, False, 0
        sign = first
        while True:
            if not quoted and depth == 0 and sign in ",]" and parts:
                self._at -= 1
                break
            parts.append(sign)
            size += 1
            if size > LONGEST_ITEM:
                raise _too_long(f"Element {self._count}")
            if quoted:
                quoted, escaped = sign != '"' or escaped, sign == "\\" and not escaped
            elif sign == '"':
                quoted = True
            elif sign in "[{":
                depth += 1
            elif sign in "]}":
                depth -= 1
            sign = self._take()
        return _decoded("".join(parts).encode(), f"Element {self._count}")

    def _take(self) -> str:
        while self._at >= len(self._text):
            chunk = self._file.read(_CHUNK)
            self._text, self._at = self._decode.decode(chunk, final=not chunk), 0
            if not chunk and not self._text:
                raise FloworkError(ErrorCode.COMPONENT_FAILED, "The JSON array ends in the middle.")
        self._at += 1
        return self._text[self._at - 1]


def _too_long(place: str) -> FloworkError:
    return FloworkError(ErrorCode.TOO_LARGE, f"{place} is longer than {LONGEST_ITEM} bytes.")


_READERS = {"ndjson": _read_lines, "json": _read_array, "csv": _read_table}
