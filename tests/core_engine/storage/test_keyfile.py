"""Key files: made once, for their owner's eyes only, and never replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_engine.storage.keyfile import KEY_BYTES, read_or_make_key
from shared.errors import ErrorCode, FloworkError


def test_a_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    key = read_or_make_key(path)
    assert len(key) == KEY_BYTES
    assert read_or_make_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["a.key"]
    assert read_or_make_key(tmp_path / "b.key") != key


def test_a_draft_that_a_crash_left_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "a.new").write_text("half")
    assert len(read_or_make_key(tmp_path / "a.key")) == KEY_BYTES


def test_a_key_that_was_open_to_others_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.key"
    key = read_or_make_key(path)
    path.chmod(0o644)
    assert read_or_make_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert key.hex() not in caplog.text


@pytest.mark.parametrize("content", ["", "zz" * 32, "ab" * 31, "ab" * 33])
def test_a_file_that_holds_no_key_is_kept_and_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(content)
    with pytest.raises(FloworkError) as caught:
        read_or_make_key(path)
    assert caught.value.code is ErrorCode.CONFIGURATION
    assert path.read_text() == content


def test_a_link_in_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    read_or_make_key(tmp_path / "real.key")
    (tmp_path / "a.key").symlink_to("real.key")
    with pytest.raises(FloworkError):
        read_or_make_key(tmp_path / "a.key")
