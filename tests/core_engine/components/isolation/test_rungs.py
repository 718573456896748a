from __future__ import annotations

import shutil

import pytest

from core_engine.components.isolation import landlock, rungs, seccomp
from core_engine.components.isolation.rungs import Rung, Task


def test_this_machine_offers_a_rung() -> None:
    assert rungs.rung_in_force() in {"bubblewrap", "landlock"}
    assert rungs.works(Rung.LANDLOCK)


def test_a_missing_wall_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: 3)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert not rungs.works(Rung.LANDLOCK)
    assert not rungs.works(Rung.BUBBLEWRAP)
    assert rungs.detect() is Rung.SECCOMP


def test_programs_need_the_file_system_walled_off() -> None:
    assert rungs.suffices(Rung.LANDLOCK, Task.FUNCTION)
    assert not rungs.suffices(Rung.SECCOMP, Task.FUNCTION)
    assert rungs.suffices(Rung.SECCOMP, Task.TEMPLATE)
    assert not any(rungs.suffices(Rung.NONE, task) for task in Task)


def test_without_filters_there_is_no_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "supported", lambda: False)
    assert rungs.detect() is Rung.NONE


def test_a_bubblewrap_that_cannot_make_namespaces_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(fake))
    assert not rungs.works(Rung.BUBBLEWRAP)
    assert rungs.detect() is Rung.LANDLOCK


def test_a_child_that_cannot_lock_itself_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rungs, "_ROOT", "/nowhere")
    assert not rungs.works(Rung.LANDLOCK)


def test_the_launcher_of_namespaces_has_no_environment_itself() -> None:
    assert rungs.command(Rung.BUBBLEWRAP, Task.FUNCTION)[:2] == ["/usr/bin/env", "-i"]
