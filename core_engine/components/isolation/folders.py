"""Folders that a step opens to the code of others it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core_engine.components.isolation.rungs import Openings
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

Access = Literal["none", "read", "write"]


def open_to(files: Files, access: Access, paths: Sequence[str]) -> Openings:
    """Return the folders to be opened; raises FloworkError FORBIDDEN, NOT_FOUND or INVALID_REQUEST."""
    if access == "none":
        if paths:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, "Folders are named, but the access to them is none."
            )
        return Openings()
    real = tuple(str(files.whole_folder(path)) for path in paths)
    return Openings(readable=real) if access == "read" else Openings(writable=real)
