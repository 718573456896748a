"""Packages: harmful ones are refused before the first write, ours are always the same bytes."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from core_engine.components.dropin.folder import folder_hash
from core_engine.components.dropin.package import pack, unpack
from core_engine.components.dropin.problem import UnusableError


def zipped(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return made.getvalue()


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    item = zipfile.ZipInfo(name)
    item.external_attr = (stat.S_IFLNK | 0o777) << 16
    return item, target.encode()


def lying(package: bytes, says: int) -> bytes:
    """The same package with another unpacked size in both of its headers."""
    at = package.index(b"PK\x01\x02")
    changed = bytearray(package)
    struct.pack_into("<I", changed, 22, says)
    struct.pack_into("<I", changed, at + 24, says)
    return bytes(changed)


HARMFUL = {
    "up": zipped(("../x", b"")),
    "absolute": zipped(("/x", b"")),
    "deep up": zipped(("a/../../x", b"")),
    "backslash": zipped(("a\\..\\x", b"")),
    "drive": zipped(("C:x", b"")),
    "link": zipped(link("a", "/etc/passwd")),
    "link then file": zipped(link("a", "/tmp"), ("a/b", b"")),
    "file in file": zipped(("a", b""), ("a/b", b"")),
    "case": zipped(("a/B", b""), ("A/b", b"")),
    "control": zipped(("a\nb", b"")),
    "long": zipped(("x" * 300, b"")),
    "deep": zipped(("/".join("a" * 20), b"")),
    "many": zipped(*((f"f{number}", b"") for number in range(2001))),
    "bomb": zipped(("big", b"\0" * 40_000_000)),
    "lies": lying(zipped(("big", b"\0" * 3_000_000)), 100),
    "cache": zipped(("__pycache__/a.pyc", b"")),
    "odd method": zipped(("a", b"text"), method=zipfile.ZIP_LZMA),
    "no zip": b"PK\x03\x04 and then nothing",
    "empty": b"",
    "cut": zipped(("a", b"x" * 1000))[:-30],
}  # fmt: skip


@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_package_writes_nothing(name: str, tmp_path: Path) -> None:
    target = tmp_path / "inner" / "target"
    with pytest.raises(UnusableError):
        unpack(HARMFUL[name], target)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="two files"):
        unpack(zipped(("a", b"1"), ("a", b"2")), tmp_path / "x")


def test_one_folder_around_everything_is_left_out(tmp_path: Path) -> None:
    unpack(zipped(("top/manifest.json", b"{}"), ("top/a/b.py", b"x")), tmp_path / "x")
    assert (tmp_path / "x" / "a" / "b.py").read_bytes() == b"x"


def test_packing_gives_the_same_bytes_and_the_hash_survives(write, tmp_path: Path) -> None:
    folder = write(files={"deep/er.txt": "x", "__pycache__/a.pyc": "no", ".installed": "1"})
    package = pack(folder)
    (folder / "processor.py").touch()
    assert pack(folder) == package
    unpack(package, tmp_path / "out")
    assert folder_hash(tmp_path / "out", strict=True) == folder_hash(folder)
    assert not (tmp_path / "out" / "__pycache__").exists()
    assert (tmp_path / "out" / "processor.py").stat().st_mode & 0o111 == 0


def test_the_hash_covers_names_and_contents_but_not_the_signature(write) -> None:
    folder = write(files={"a.txt": "1"})
    before = folder_hash(folder)
    (folder / "signature.json").write_text("{}")
    assert folder_hash(folder) == before
    (folder / "a.txt").write_text("2")
    assert folder_hash(folder) != before
    (folder / "a.txt").write_text("1")
    (folder / "a.txt").rename(folder / "b.txt")
    assert folder_hash(folder) != before
    (folder / "__pycache__").mkdir()
    with pytest.raises(UnusableError, match="__pycache__"):
        folder_hash(folder, strict=True)
