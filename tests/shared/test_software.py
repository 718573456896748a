"""Packages with a known weakness are refused at the start, also where somebody installed them by hand."""

from __future__ import annotations

import pytest

from shared import software
from shared.errors import ErrorCode, FloworkError
from shared.software import require_sound_software, version_key, weakness


def test_what_the_lock_file_installs_is_sound() -> None:
    require_sound_software()


def test_an_older_package_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(software.FLOORS, "werkzeug", "99.1")
    with pytest.raises(FloworkError, match=r"^werkzeug \S+ is refused: versions before 99.1") as caught:
        require_sound_software()
    assert caught.value.code is ErrorCode.CONFIGURATION


def test_what_is_not_installed_has_no_weakness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(software.FLOORS, "no-such-package", "1")
    require_sound_software()


def test_a_feature_that_was_removed_is_a_ceiling() -> None:
    assert weakness("gunicorn", "25.9.1") is None
    assert "eventlet" in (weakness("gunicorn", "26.0") or "")


def test_versions_compare_by_number() -> None:
    assert version_key("3.10.1") > version_key("3.9")
    assert version_key("5.16.2rc1") >= version_key("5.16.2")
