"""What a child may do with files: its own temporary folder, the folders opened to it, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.files import RootedFiles
from core_engine.components.isolation import rungs
from core_engine.components.isolation.folders import open_to
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from shared.errors import ErrorCode, FloworkError

RUNGS = [rung for rung in (Rung.BUBBLEWRAP, Rung.LANDLOCK) if rungs.works(rung)]
NONE = Openings()
LOOK = """
import os
folder = args["folder"]
def attempt(call):
    try:
        return call()
    except OSError as error:
        return type(error).__name__
def write(name):
    with open(name, "w") as file:
        file.write("new")
    return "written"
result = {
    "read": attempt(lambda: open(folder + "/inside/a").read()),
    "write": attempt(lambda: write(folder + "/inside/b")),
    "beside": attempt(lambda: open(folder + "/outside").read()),
    "write beside": attempt(lambda: write(folder + "/new")),
    "through a link": attempt(lambda: open(folder + "/inside/link").read()),
    "program": attempt(lambda: os.chmod(folder + "/inside/a", 0o777)),
}
"""
BESIDE = {"PermissionError", "written"}
"""What a test's folder is in may be the child's own temporary folder, which has the same name as the machine's."""
OPENED = {"read": "old", "write": "written"}


@pytest.fixture(params=RUNGS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(seconds=20, memory_mb=512), rung=request.param)
    yield made
    await made.close()


async def run(
    sandbox: Sandbox, code: str, folders: Openings = NONE, logs: list[Any] | None = None, **args: Any
) -> Any:
    def note(message: str, level: str) -> None:
        if logs is not None:
            logs.append((level, message))

    request = {"code": code, "payload": {"data": {}, "history": []}, "args": args}
    return await sandbox.call(Task.FUNCTION, request, Bounds(15, 128), note, folders)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a").write_text("old")
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "outside")
    return tmp_path


async def test_a_folder_opened_for_reading_is_read_and_not_written(sandbox: Sandbox, folder: Path) -> None:
    seen = await run(sandbox, LOOK, Openings(readable=(str(folder / "inside"),)), folder=str(folder))
    assert seen.pop("read") == "old"
    assert seen.pop("write beside") in BESIDE
    assert set(seen.values()) <= {"PermissionError", "FileNotFoundError", "OSError"}
    assert sorted(path.name for path in (folder / "inside").iterdir()) == ["a", "link"]


async def test_a_folder_opened_for_writing_is_all_that_is_written(sandbox: Sandbox, folder: Path) -> None:
    seen = await run(sandbox, LOOK, Openings(writable=(str(folder / "inside"),)), folder=str(folder))
    assert {name: seen.pop(name) for name in OPENED} == OPENED
    assert seen.pop("write beside") in BESIDE
    assert set(seen.values()) <= {"PermissionError", "FileNotFoundError", "OSError"}
    assert (folder / "inside" / "b").read_text() == "new"
    assert sorted(path.name for path in folder.iterdir()) == ["inside", "outside"]


async def test_a_child_that_was_opened_a_folder_serves_nobody_else(sandbox: Sandbox, folder: Path) -> None:
    await run(sandbox, LOOK, Openings(writable=(str(folder / "inside"),)), folder=str(folder))
    seen = await run(sandbox, LOOK, folder=str(folder))
    assert "old" not in seen.values()
    assert seen["write"] != "written"


async def test_nothing_of_one_call_is_seen_by_the_next(sandbox: Sandbox) -> None:
    leave = """
import builtins, json, os, sys
builtins.left = "behind"; json.left = "behind"; sys.modules["left"] = json
try:
    open("/tmp/left", "w").write("behind")
except OSError:
    pass
result = os.getpid()
"""
    look = """
import builtins, json, os, sys
result = [hasattr(builtins, "left"), hasattr(json, "left"), "left" in sys.modules, os.path.exists("/tmp/left")]
"""
    for _ in range(3):
        await run(sandbox, leave)
        assert await run(sandbox, look) == [False] * 4


async def test_the_temporary_folder_is_bounded_and_ends_with_the_child() -> None:
    if Rung.BUBBLEWRAP not in RUNGS:
        pytest.skip("bubblewrap does not work here: there is no temporary folder without it")
    sandbox = Sandbox(most=Bounds(20, 512), rung=Rung.BUBBLEWRAP)
    fill = """
import os
written = 0
try:
    for number in range(100):
        with open(f"/tmp/{number}", "wb", buffering=0) as file:
            for _ in range(8):
                written += file.write(bytes(1 << 20))
except OSError as error:
    result = [written <= 64 << 20, error.errno]
"""
    assert await run(sandbox, fill) == [True, 28]  # no space left
    import_tempfile = "import tempfile\nwith tempfile.TemporaryDirectory() as made: result = made[:5]"
    assert await run(sandbox, import_tempfile) == "/tmp/"
    assert not Path("/tmp/99").exists()
    await sandbox.close()


async def test_the_first_line_of_the_log_names_the_rung_even_when_the_code_fails(sandbox: Sandbox) -> None:
    logs: list[Any] = []
    with pytest.raises(FloworkError):
        await run(sandbox, "log('mine')\n1 / 0", logs=logs)
    assert logs == [("DEBUG", f"Isolation: {await sandbox.rung()}."), ("INFO", "mine")]


def test_only_folders_that_workflows_may_use_are_opened(tmp_path: Path) -> None:
    data = tmp_path / "data"
    files = RootedFiles([tmp_path / "root", tmp_path], data)
    data.mkdir()
    (tmp_path / "root" / "a").mkdir()
    assert open_to(files, "none", []) == Openings()
    assert open_to(files, "read", ["a"]).readable == (str(tmp_path / "root" / "a"),)
    assert open_to(files, "write", ["a"]).writable == (str(tmp_path / "root" / "a"),)
    for path, code in (
        ("../..", ErrorCode.FORBIDDEN), ("/etc", ErrorCode.FORBIDDEN), ("b", ErrorCode.NOT_FOUND),
        (str(tmp_path), ErrorCode.FORBIDDEN), (str(data), ErrorCode.FORBIDDEN),
    ):  # fmt: skip
        with pytest.raises(FloworkError) as caught:
            open_to(files, "read", [path])
        assert caught.value.code is code, path
    with pytest.raises(FloworkError, match="access to them is none"):
        open_to(files, "none", ["a"])
