"""Secret keys as files of the engine's folder, readable by nobody else."""

from __future__ import annotations

import logging
import os
import secrets
import stat
from pathlib import Path

from shared.errors import ErrorCode, FloworkError

KEY_BYTES = 32

_log = logging.getLogger(__name__)


def read_or_make_key(path: Path) -> bytes:
    """Return the 32 secret bytes that a file holds as hex; where there is none it is made, durably, with mode 0600.

    Raises FloworkError CONFIGURATION for a file that holds something else: a new key would not open what the
    old one closed. To be called while the data folder is locked.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return _make(path)
    except OSError as error:
        raise _unusable(path) from error
    try:
        if stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
            _log.warning("a key file was open to others; it is closed now", extra={"path": str(path)})
            os.fchmod(file, 0o600)
        key = bytes.fromhex(os.read(file, 1024).decode("ascii", "replace").strip())
    except ValueError as error:
        raise _unusable(path) from error
    finally:
        os.close(file)
    if len(key) != KEY_BYTES:
        raise _unusable(path)
    return key


def given_key(setting: str, name: str, path: Path) -> bytes:
    """Return the key of a setting of that name, or of the key file where the setting is empty.

    Raises FloworkError CONFIGURATION for a setting that is not 64 hex digits.
    """
    if not setting:
        return read_or_make_key(path)
    try:
        key = bytes.fromhex(setting)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise FloworkError(ErrorCode.CONFIGURATION, f"{name} must be 64 hex digits (32 bytes).")
    return key


def _make(path: Path) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, f"{key.hex()}\n".encode("ascii"))
        os.fsync(file)
    finally:
        os.close(file)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key


def _unusable(path: Path) -> FloworkError:
    message = f"The key file {path} does not hold 64 hex digits; put the right one back from a backup."
    return FloworkError(ErrorCode.CONFIGURATION, message)
