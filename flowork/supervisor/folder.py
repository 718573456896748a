"""The data folder as its supervisor holds it: private, and held by one supervisor at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import ErrorCode, FloworkError


def make_private(folder: Path) -> None:
    """Create the folder for its owner only; raises CONFIGURATION when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"Cannot make the data folder {folder}: {error}; see FLOWORK_DATA_DIR."
        ) from error


@contextmanager
def held(lock: Path, busy: str) -> Iterator[None]:
    """Hold a lock file as long as the block runs; raises CONFLICT with the given sentence if it is held."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FloworkError(ErrorCode.CONFLICT, busy) from None
    else:
        yield
    finally:
        os.close(handle)
