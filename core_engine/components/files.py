"""Where workflows may read and write: inside the configured folders, never the engine's own, never hidden files."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from shared.errors import ErrorCode, FloworkError

MAX_PATH_CHARACTERS = 4096
_ENGINE_FOLDERS = frozenset({"engine", "gateway"})


class RootedFiles:
    """The engine's implementation of `core_engine.kernel.context.Files`.

    ``roots`` are made when they are missing. Of ``data_dir`` (the folder of all data of the platform) only roots
    that are folders of their own inside it can be used; databases, keys and journals can not, whatever the roots are.
    """

    def __init__(self, roots: Sequence[Path], data_dir: Path) -> None:
        if not roots:
            raise FloworkError(ErrorCode.CONFIGURATION, "No folder is set that workflows may use.")
        for root in roots:
            root.mkdir(parents=True, exist_ok=True)
        self._roots = tuple(dict.fromkeys(root.resolve(strict=True) for root in roots))
        self._data_dir = data_dir.resolve()
        self._own_areas = tuple(root for root in self._roots if self._is_own_area(root))

    @property
    def roots(self) -> tuple[Path, ...]:
        """The real paths of the folders."""
        return self._roots

    def readable(self, path: str) -> Path:
        """Return the real path of an existing file inside a root; raises FloworkError FORBIDDEN or NOT_FOUND.

        What is outside is FORBIDDEN whether it exists or not.
        """
        real = self._inside(path)
        try:
            mode = real.stat().st_mode
        except OSError:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no file {path!r}.") from None
        if not stat.S_ISREG(mode):
            raise FloworkError(ErrorCode.FORBIDDEN, f"{path!r} is not a regular file.")
        return real

    def writable(self, path: str) -> Path:
        """Return the real path for a file to be written inside a root, its parent folders made.

        Raises FloworkError FORBIDDEN. No folder is made before every existing segment is known to be inside.
        """
        real = self._inside(path)
        try:
            if real in self._roots or (real.exists() and not real.is_file()):
                raise FloworkError(ErrorCode.FORBIDDEN, f"{path!r} is not a regular file.")
            real.parent.mkdir(parents=True, exist_ok=True)
            settled = real.parent.resolve(strict=True) / real.name
        except OSError as error:
            raise FloworkError(
                ErrorCode.FORBIDDEN, f"{path!r} cannot be written: {error.strerror}."
            ) from None
        self._refuse_outside(settled, path)
        return settled

    def folder(self, path: str) -> Path:
        """Return the real path of an existing folder inside a root; raises FloworkError FORBIDDEN or NOT_FOUND."""
        real = self._inside(path)
        if not real.is_dir():
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no folder {path!r}.")
        return real

    def whole_folder(self, path: str) -> Path:
        """Return the real path of a folder whose whole content may be used; raises as `folder` does.

        What lies below it cannot be judged name by name, so one that holds the engine's own folders is FORBIDDEN.
        """
        real = self.folder(path)
        if self._data_dir.is_relative_to(real):
            raise FloworkError(
                ErrorCode.FORBIDDEN, f"{path!r} holds folders that belong to the engine itself."
            )
        return real

    def resolved(self, path: str) -> Path:
        """Return the real path inside a root, whether or not something is there; raises FloworkError FORBIDDEN."""
        return self._inside(path)

    def allows(self, path: Path) -> bool:
        """Tell whether a path, links resolved, is one that workflows may use."""
        try:
            self._inside(str(path))
        except FloworkError:
            return False
        return True

    def _inside(self, path: str) -> Path:
        _check_spelling(path)
        wanted = self._roots[0] / path  # an absolute path stays as it is
        if ".." in wanted.parts:
            raise _forbidden(path)
        try:
            real = wanted.resolve()
        except (OSError, RuntimeError):  # a loop of links
            raise _forbidden(path) from None
        self._refuse_outside(real, path)
        return real

    def _refuse_outside(self, path: Path, asked: str) -> None:
        inside = [root for root in self._roots if path.is_relative_to(root)]
        if not inside:
            raise _forbidden(asked)
        below = path.relative_to(max(inside, key=lambda root: len(root.parts)))
        if any(part.startswith(".") for part in below.parts):
            raise FloworkError(
                ErrorCode.FORBIDDEN, f"{asked!r} is hidden; hidden files are not for workflows."
            )
        if path.is_relative_to(self._data_dir) and not any(
            path.is_relative_to(area) for area in self._own_areas
        ):
            raise FloworkError(ErrorCode.FORBIDDEN, f"{asked!r} belongs to the engine itself.")

    def _is_own_area(self, root: Path) -> bool:
        if root == self._data_dir or not root.is_relative_to(self._data_dir):
            return False
        return root.relative_to(self._data_dir).parts[0] not in _ENGINE_FOLDERS


def open_folder(path: Path) -> int:
    """Open a folder by its real path and return the descriptor, to be closed by the caller.

    No link is followed at any segment: one that is met now took a folder's place after the path was checked.
    Raises FloworkError FORBIDDEN.
    """
    descriptor = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in path.parts[1:]:
        try:
            below = os.open(
                part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor
            )
        except OSError as error:
            raise FloworkError(ErrorCode.FORBIDDEN, f"The folder {part!r} was changed meanwhile.") from error
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def open_regular(path: Path) -> BinaryIO:
    """Open a file that `Files.readable` gave for reading; raises FloworkError when it was swapped meanwhile.

    A pipe or device that took its place is not waited for.
    """
    folder = open_folder(path.parent)
    try:
        descriptor = os.open(
            path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
        )
    except OSError as error:
        raise FloworkError(ErrorCode.NOT_FOUND, f"{path.name!r} cannot be read: {error.strerror}.") from error
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FloworkError(ErrorCode.FORBIDDEN, f"{path.name!r} is not a regular file.")
    return os.fdopen(descriptor, "rb")


def _check_spelling(path: str) -> None:
    if not path or len(path) > MAX_PATH_CHARACTERS:
        raise FloworkError(ErrorCode.FORBIDDEN, "The path is empty or too long.")
    if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) <= 0xDFFF for sign in path):
        raise FloworkError(ErrorCode.FORBIDDEN, "The path contains control characters.")
    if any(len(part.encode()) > 255 for part in path.split("/")):
        raise FloworkError(ErrorCode.FORBIDDEN, "A part of the path is too long.")


def _forbidden(path: str) -> FloworkError:
    return FloworkError(ErrorCode.FORBIDDEN, f"{path!r} is outside the folders that workflows may use.")
