from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core_engine.components.isolation import landlock


@pytest.mark.parametrize(
    ("version", "size", "rights"),
    [(1, 8, 13), (2, 8, 14), (3, 8, 15), (4, 16, 15), (5, 16, 16), (6, 24, 16), (7, 24, 16)],
)
def test_the_rule_set_asks_for_all_the_kernel_knows(version: int, size: int, rights: int) -> None:
    buffer, length = landlock._attributes(version)
    assert length == size
    assert int.from_bytes(buffer.raw[:8], "little") == (1 << rights) - 1
    if size > 8:
        assert int.from_bytes(buffer.raw[8:16], "little") == 3


def test_a_restricted_process_reads_only_what_it_was_left(tmp_path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a").write_text("a")
    (tmp_path / "closed").write_text("b")
    code = """
import ctypes, sys
sys.path.insert(0, sys.argv[2])
from core_engine.components.isolation import landlock
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
folder = sys.argv[1]
landlock.restrict([folder + "/open", folder + "/none", sys.prefix])
print(open(folder + "/open/a").read())
for path, mode in (("/closed", "r"), ("/open/new", "w"), ("/open/a", "a")):
    try:
        open(folder + path, mode)
    except PermissionError:
        print("refused")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), str(Path.cwd())],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["a", "refused", "refused", "refused"]
