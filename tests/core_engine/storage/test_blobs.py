"""Large payloads as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_engine.storage.blobs import BlobFiles, blob_name
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(tmp_path / "blobs")


def test_what_is_written_is_read_back(blobs: BlobFiles, tmp_path: Path):
    content = b"x" * 100_000
    name = blob_name(content)
    blobs.write(name, content)
    blobs.write(name, content)
    assert blobs.read(name) == content
    path = tmp_path / "blobs" / name[:2] / name
    assert list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(blobs.names()) == [name]


def test_a_damaged_or_missing_file_is_told_apart_from_data(blobs: BlobFiles, tmp_path: Path):
    name = blob_name(b"hello")
    blobs.write(name, b"hello")
    (tmp_path / "blobs" / name[:2] / name).write_bytes(b"hellO")
    for damaged, word in (
        (name, "damaged"),
        (blob_name(b"never"), "missing"),
        ("../../etc/passwd", "malformed"),
    ):
        with pytest.raises(FloworkError, match=word) as caught:
            blobs.read(damaged)
        assert caught.value.code is ErrorCode.JOURNAL_CORRUPT


def test_drafts_of_a_crash_are_swept_and_removal_is_repeatable(blobs: BlobFiles, tmp_path: Path):
    name = blob_name(b"hello")
    blobs.write(name, b"hello")
    draft = tmp_path / "blobs" / name[:2] / f"{'0' * 64}.new"
    draft.write_bytes(b"half")
    assert list(blobs.names()) == [name]
    assert not draft.exists()
    blobs.remove(name)
    blobs.remove(name)
    assert list(blobs.names()) == []
