"""Writes many rows to a file inside the roots as they come; the file is there whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from core_engine.components.files import open_folder
from shared.errors import ErrorCode, FloworkError

Format = Literal["ndjson", "csv"]


@dataclass(frozen=True, slots=True)
class Export:
    """Where rows go, how they are written and how large the file may grow."""

    path: Path
    format: Format
    max_bytes: int

    def write(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[int, int]:
        """Write all rows and return how many and how many bytes; raises FloworkError TOO_LARGE.

        Whatever stops it leaves an older file as it was.
        """
        folder = open_folder(self.path.parent)
        temporary = f".{secrets.token_hex(12)}.tmp"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(temporary, flags, 0o644, dir_fd=folder)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:
                    count = self._write_rows(file, columns, rows)
                    file.flush()
                    os.fsync(file.fileno())
                    size = file.tell()
                os.replace(temporary, self.path.name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            os.fsync(folder)
        finally:
            os.close(folder)
        return count, size

    def _write_rows(self, file: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
        count = 0
        table = csv.writer(file)
        if self.format == "csv":
            table.writerow(columns)
        for row in rows:
            if self.format == "csv":
                table.writerow([_cell(value) for value in row])
            else:
                file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")
            count += 1
            if count % 256 == 0:
                self._check(file)
        self._check(file)
        return count

    def _check(self, file: TextIO) -> None:
        if file.tell() > self.max_bytes:
            raise FloworkError(
                ErrorCode.TOO_LARGE, f"The result is larger than {self.max_bytes // (1024 * 1024)} MiB."
            )


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list | bool) else value
