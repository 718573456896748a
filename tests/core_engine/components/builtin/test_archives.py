"""Making archives and taking them apart, harmful ones above all."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import StepPolicy
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


def make_zip(path: Path, files: dict[str, bytes], **attributes: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = attributes.get(name, stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)


def make_tar(path: Path, mode: str, members: list[tuple[str, bytes, bytes, str]]) -> None:
    with tarfile.open(path, mode) as archive:
        for name, kind, content, target in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(content), target
            archive.addfile(info, io.BytesIO(content))


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
async def test_what_is_packed_comes_out_again(run, root, kind: str) -> None:
    files = {"docs/a.txt": b"a", "docs/sub/b.bin": bytes(range(256)) * 1000, "one.md": "é".encode()}
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "docs/.secret").write_text("hidden")
    (root / "docs/link").symlink_to("/etc/passwd")
    packed = await run("archive", {"sources": "docs, one.md", "archive": f"out/all.{kind}", "format": kind})
    data = packed.outputs["success"].data
    assert data["files"] == sorted(files)
    assert data["size_bytes"] == (root / f"out/all.{kind}").stat().st_size
    opened = await run("extract_archive", {"archive": f"out/all.{kind}", "folder": "back"})
    assert everything(root / "back") == files
    assert opened.outputs["success"].data["file_count"] == 3
    assert opened.outputs["success"].data["size_bytes"] == sum(map(len, files.values()))


async def test_an_archive_is_not_replaced_unless_asked_and_never_holds_itself(run, root) -> None:
    (root / "docs").mkdir()
    (root / "docs/a").write_text("a")
    config = {"sources": ["docs"], "archive": "docs/all.zip"}
    await run("archive", config)
    with pytest.raises(FloworkError) as caught:
        await run("archive", config)
    assert caught.value.code is ErrorCode.CONFLICT
    data = (await run("archive", {**config, "overwrite": True})).outputs["success"].data
    assert data["files"] == ["docs/a"]
    assert [path.name for path in sorted((root / "docs").iterdir())] == ["a", "all.zip"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"sources": "../x"}, ErrorCode.FORBIDDEN), ({"sources": "none"}, ErrorCode.NOT_FOUND),
        ({"sources": "/etc/passwd"}, ErrorCode.FORBIDDEN), ({"sources": "a, sub/a"}, ErrorCode.CONFLICT),
        ({"sources": "a, sub", "max_files": 1}, ErrorCode.TOO_LARGE),
        ({"sources": "a, sub", "max_mib": 0.000001}, ErrorCode.TOO_LARGE),
        ({"sources": "a", "archive": "../a.zip"}, ErrorCode.FORBIDDEN),
    ],
)  # fmt: skip
async def test_what_cannot_be_packed_leaves_nothing(
    run, root, config: dict[str, Any], code: ErrorCode
) -> None:
    (root / "sub").mkdir()
    for name in ("a", "sub/a"):
        (root / name).write_text("content")
    with pytest.raises(FloworkError) as caught:
        await run("archive", {"archive": "x.zip", **config})
    assert caught.value.code is code
    assert set(everything(root)) == {"a", "sub/a"}


BAD_NAMES = [
    "../out", "/etc/x", "a/../../b", "a\\..\\b", "C:/x", ".hidden", "a/.ssh/key", "a//b", "a\nb", "a/ ", "x" * 1100,
    "/".join("d" * 40),
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", ["zip", "tar"])
async def test_bad_names_refuse_the_whole_archive(run, root, name: str, kind: str) -> None:
    if kind == "zip":
        make_zip(root / "x", {"good.txt": b"good", name: b"bad"})
    else:
        make_tar(
            root / "x", "w", [("good.txt", tarfile.REGTYPE, b"g", ""), (name, tarfile.REGTYPE, b"b", "")]
        )
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", {"archive": "x", "folder": "to"})
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert set(everything(root)) == {"x"}


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE]
)
async def test_links_and_devices_in_a_tar_are_refused(run, root, kind: bytes) -> None:
    members = [
        ("good", tarfile.REGTYPE, b"g", ""),
        ("evil", kind, b"", "/etc"),
        ("evil/x", tarfile.REGTYPE, b"x", ""),
    ]
    make_tar(root / "x.tgz", "w:gz", members)
    with pytest.raises(FloworkError, match="link or a device"):
        await run("extract_archive", {"archive": "x.tgz", "folder": "to"})
    assert set(everything(root)) == {"x.tgz"}


async def test_links_in_a_zip_are_refused(run, root) -> None:
    make_zip(root / "x", {"evil": b"/etc"}, evil=stat.S_IFLNK | 0o777)
    with pytest.raises(FloworkError, match="link or a device"):
        await run("extract_archive", {"archive": "x", "folder": "to"})


async def test_a_link_that_stands_in_the_way_is_not_followed(run, root, tmp_path) -> None:
    (tmp_path / "outside").mkdir()
    (root / "to").mkdir()
    (root / "to/sub").symlink_to(tmp_path / "outside")
    make_zip(root / "x", {"sub/file": b"x"})
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", {"archive": "x", "folder": "to"})
    assert caught.value.code is ErrorCode.FORBIDDEN
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("kind", ["zip", "tar.gz", "tar.bz2", "tar.xz"])
async def test_bombs_are_refused_before_anything_is_written(run, root, kind: str) -> None:
    content = bytes(20 << 20)
    if kind == "zip":
        make_zip(root / "x", {"bomb": content})
    else:
        make_tar(root / "x", f"w:{kind[4:]}", [("bomb", tarfile.REGTYPE, content, "")])
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", {"archive": "x", "folder": "to"})
    assert caught.value.code is ErrorCode.TOO_LARGE
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", {"archive": "x", "folder": "to", "max_ratio": 1_000_000, "max_mib": 1})
    assert caught.value.code is ErrorCode.TOO_LARGE
    assert set(everything(root)) == {"x"}
    await run("extract_archive", {"archive": "x", "folder": "to", "max_ratio": 1_000_000})
    assert (root / "to/bomb").stat().st_size == len(content)


async def test_too_many_files_and_names_given_twice_are_refused(run, root) -> None:
    make_zip(root / "x", {str(number): b"" for number in range(11)})
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", {"archive": "x", "folder": "to", "max_files": 10})
    assert caught.value.code is ErrorCode.TOO_LARGE
    make_tar(root / "y", "w", [("a", tarfile.REGTYPE, b"1", ""), ("a", tarfile.REGTYPE, b"2", "")])
    with pytest.raises(FloworkError, match="twice"):
        await run("extract_archive", {"archive": "y", "folder": "to"})


async def test_a_zip_that_lies_about_its_sizes_is_refused(run, root) -> None:
    make_zip(root / "x", {"a": b"x" * 5000})
    content = (root / "x").read_bytes()
    (root / "x").write_bytes(content.replace(struct.pack("<L", 5000), struct.pack("<L", 5)))
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", {"archive": "x", "folder": "to"})
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert set(everything(root)) == {"x"}


@pytest.mark.parametrize(
    "content", [b"", b"no archive", b"PK\x03\x04rest", gzip.compress(b"text", mtime=0), b"\x1f\x8bx", b"BZhx"]
)
async def test_what_is_no_archive_fails_clearly(run, root, content: bytes) -> None:
    (root / "x").write_bytes(content)
    with pytest.raises(FloworkError, match="x cannot be unpacked"):
        await run("extract_archive", {"archive": "x", "folder": "to"})


async def test_files_that_are_there_stay_unless_asked(run, root, registry) -> None:
    make_zip(root / "x", {"a": b"new"})
    (root / "to").mkdir()
    (root / "to/a").write_text("old")
    config = {"archive": "x", "folder": "to"}
    with pytest.raises(FloworkError) as caught:
        await run("extract_archive", config)
    assert caught.value.code is ErrorCode.CONFLICT
    assert (root / "to/a").read_text() == "old"
    await run("extract_archive", {**config, "overwrite": True})
    assert (root / "to/a").read_text() == "new"
    component = registry.find("extract_archive")
    assert component.policy_for(component.parse_config({**config, "overwrite": True})) is StepPolicy.KEYED
    assert component.policy_for(component.parse_config(config)) is StepPolicy.ONCE


async def test_simulating_writes_nothing(run, root) -> None:
    make_zip(root / "x", {"a": b"new"})
    await run("extract_archive", {"archive": "x", "folder": "to"}, mode=RunMode.SIMULATE)
    await run("archive", {"sources": "x", "archive": "y.zip"}, mode=RunMode.SIMULATE)
    assert set(everything(root)) == {"x"}
