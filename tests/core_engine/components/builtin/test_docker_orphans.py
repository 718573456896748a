"""Which process a container belongs to, and when that process counts as gone."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from core_engine.components.builtin.docker_container import orphans

ROOT = Path(__file__).resolve().parents[4]


def mark_of_an_ended_process() -> str:
    program = "from core_engine.components.builtin.docker_container import orphans; print(orphans.own_mark())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def test_a_living_process_is_not_gone_and_an_ended_one_is() -> None:
    assert not orphans.is_gone(orphans.own_mark())
    assert orphans.is_gone(mark_of_an_ended_process())


def test_a_later_process_of_the_same_number_is_another_one() -> None:
    namespace, number, started = orphans.own_mark().split(":")
    assert orphans.is_gone(f"{namespace}:{number}:{int(started) - 1}")


@pytest.mark.parametrize("rest", ["", "x:1", "\u00b2:1", ":", "1", "1:", "-1:5"])
def test_what_cannot_be_told_is_left_alone(rest: str) -> None:
    namespace = orphans.own_mark().partition(":")[0]
    assert not orphans.is_gone(f"{namespace}:{rest}")
    assert not orphans.is_gone(f"{int(namespace) + 1}:{rest or '1:1'}")


def test_a_child_that_nobody_has_waited_for_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "print(1)"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        stat = Path(f"/proc/{child.pid}/stat")
        mark = f"{orphans.own_mark().partition(':')[0]}:{child.pid}:{stat.read_text().rpartition(')')[2].split()[19]}"
        child.stdout.read()
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            assert child.returncode is None
        assert orphans.is_gone(mark)


def test_without_a_docker_engine_nothing_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with caplog.at_level(logging.DEBUG):
        orphans.remove_orphans(allowed=True)
    assert caplog.records == []
