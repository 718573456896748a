"""Components as zip files: opened only when everything in them is known to be harmless, made always the same."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from core_engine.components.dropin.description import MANIFEST
from core_engine.components.dropin.folder import IGNORED, MOST_BYTES, MOST_FILES, check_names, list_files
from core_engine.components.dropin.problem import UnusableError

MOST_PACKED_BYTES = 32 * 1024 * 1024
MOST_RATIO = 200
_SMALL = 64 * 1024
_CHUNK = 256 * 1024
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_UNREADABLE = (
    zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError, LookupError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip
"""What Python's own reader raises for files that are no good zip files."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def unpack(package: bytes, target: Path) -> None:
    """Write a package's files into a new folder; raises UnusableError before the first write for a harmful one.

    One folder around everything is left out. Sizes are measured while reading, whatever the package says of them.
    """
    if len(package) > MOST_PACKED_BYTES:
        raise UnusableError(f"the package is larger than {MOST_PACKED_BYTES // 1024 // 1024} MiB")
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as archive:
            files = _judged(archive)
            contents = {name: _content(archive, item) for name, item in files.items()}
    except _UNREADABLE as error:
        if isinstance(error, UnusableError):
            raise
        raise UnusableError(f"the package is not a zip file that can be read: {error}") from error
    if sum(map(len, contents.values())) > MOST_BYTES:
        raise UnusableError("the package unpacks to more than it says")
    target.mkdir(parents=True)
    for name, content in contents.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def pack(folder: Path) -> bytes:
    """Return a folder as a package; the same files always give the same bytes."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in list_files(folder):
            item = zipfile.ZipInfo(name, _EPOCH)
            item.create_system = 3
            item.external_attr = (stat.S_IFREG | 0o644) << 16
            item.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(item, (folder / name).read_bytes())
    return made.getvalue()


def _judged(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files by the names they are to have."""
    items = archive.infolist()
    if len(items) > MOST_FILES:
        raise UnusableError(f"the package has more than {MOST_FILES} entries")
    if sum(item.file_size for item in items) > MOST_BYTES:
        raise UnusableError(f"the package unpacks to more than {MOST_BYTES // 1024 // 1024} MiB")
    for item in items:
        _judge(item)
    files = {item.filename: item for item in items if not item.is_dir()}
    if len(files) != sum(not item.is_dir() for item in items):
        raise UnusableError("the package holds two files of one name")
    check_names(files)
    if any(part in IGNORED for name in files for part in name.split("/")):
        raise UnusableError("the package holds caches or state files")
    _refuse_nesting(files)
    return _without_top(files)


def _judge(item: zipfile.ZipInfo) -> None:
    name = item.filename
    if not name or name.startswith("/") or "\\" in item.orig_filename or "\0" in item.orig_filename:
        raise UnusableError(f"the package holds a name that is not accepted: {name[:200]!r}")
    mode = item.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise UnusableError(f"{name[:200]!r} is a link or a device")
    if item.flag_bits & 0x1 or item.compress_type not in _METHODS:
        raise UnusableError(f"{name[:200]!r} is encrypted or packed in an unusual way")
    if item.file_size > _SMALL and item.file_size > MOST_RATIO * max(1, item.compress_size):
        raise UnusableError(f"{name[:200]!r} unpacks to more than {MOST_RATIO} times its size")
    if item.is_dir() and any(part in {"", ".", ".."} for part in name.rstrip("/").split("/")):
        raise UnusableError(f"the package holds a name that is not accepted: {name[:200]!r}")


def _refuse_nesting(files: dict[str, zipfile.ZipInfo]) -> None:
    names = {name.casefold() for name in files}
    for name in names:
        if any(str(parent) in names for parent in PurePosixPath(name).parents):
            raise UnusableError(f"the package holds {name[:200]!r} inside a file")


def _without_top(files: dict[str, zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    tops = {name.partition("/")[0] for name in files}
    if MANIFEST in files or len(tops) != 1 or not all("/" in name for name in files):
        return files
    return {name.partition("/")[2]: item for name, item in files.items()}


def _content(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> bytes:
    made = bytearray()
    with archive.open(item) as file:
        while data := file.read(_CHUNK):
            made += data
            if len(made) > item.file_size:
                raise UnusableError(f"{item.filename[:200]!r} unpacks to more than it says")
    return bytes(made)
