"""Copying, moving and deleting by descriptors of folders, so that nobody can swap a folder meanwhile."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core_engine.components.drafts import Draft
from core_engine.components.files import open_folder, open_regular
from shared.errors import ErrorCode, FloworkError

_CHUNK_BYTES = 1024 * 1024


def copy(source: Path, target: Path, key: str, *, overwrite: bool) -> None:
    """Copy a file; the copy appears whole. Raises FloworkError CONFLICT, NOT_FOUND, FORBIDDEN."""
    with open_regular(source) as file, Draft(target, key) as draft:
        while chunk := file.read(_CHUNK_BYTES):
            draft.write(chunk)
        draft.commit(overwrite=overwrite)


def move(source: Path, target: Path, key: str, *, overwrite: bool) -> None:
    """Move a file in one step, or by a copy when it goes to another disk. Raises as `copy`."""
    try:
        _rename(source, target, overwrite=overwrite)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise _failed(source, error) from error
        copy(source, target, key, overwrite=overwrite)
        delete(source)


def delete(path: Path) -> None:
    """Delete a file for good. Raises FloworkError NOT_FOUND or FORBIDDEN."""
    with _opened(path.parent) as folder:
        try:
            os.unlink(path.name, dir_fd=folder)
        except OSError as error:
            raise _failed(path, error) from error


def _rename(source: Path, target: Path, *, overwrite: bool) -> None:
    with _opened(source.parent) as old, _opened(target.parent) as new:
        if overwrite:
            os.replace(source.name, target.name, src_dir_fd=old, dst_dir_fd=new)
        else:
            try:
                os.link(source.name, target.name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)
            except FileExistsError:
                raise FloworkError(ErrorCode.CONFLICT, f"There is a file {target.name!r} already.") from None
            os.unlink(source.name, dir_fd=old)
        os.fsync(new)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = open_folder(folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _failed(path: Path, error: OSError) -> FloworkError:
    code = ErrorCode.NOT_FOUND if isinstance(error, FileNotFoundError) else ErrorCode.FORBIDDEN
    return FloworkError(code, f"{path.name!r} cannot be moved or deleted: {error.strerror}.")
