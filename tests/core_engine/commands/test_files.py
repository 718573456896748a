"""The file browser on a real engine: inside the roots, nothing hidden, nothing secret, no way out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from core_engine.components import folders
from tests.core_engine.engine import READER, RUNNER, Talker, admit, engine, talker


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "Reports" / "deep").mkdir(parents=True)
    (root / "b.txt").write_text("12345")
    (root / "A.csv").write_text("")
    return root


def roots(*paths: Path) -> dict[str, str]:
    return {"ENGINE_FILE_ROOTS": os.pathsep.join(map(str, paths))}


async def names(client: Talker, path: Any, **fields: Any) -> list[str]:
    answer = await client.ask("request_directory_list", path=str(path), **fields)
    assert answer["type"] == "directory_list_response", answer
    return [item["name"] for item in answer["items"]]


async def test_the_roots_and_their_content(tmp_path: Path, root: Path) -> None:
    other = tmp_path / "other"
    async with engine(tmp_path / "data", **roots(root, other)) as running, talker(running) as client:
        await admit(running)
        drives = (await client.ask("request_drives"))["drives"]
        assert drives == [
            {"name": path.name, "path": str(path), "is_dir": True, "type": "drive"} for path in (root, other)
        ]
        answer = await client.ask("request_directory_list", path=str(root))
        folder, first, second = answer["items"]
        assert (answer["path"], answer["truncated"]) == (str(root), False)
        assert (folder["name"], folder["is_dir"], folder["size"]) == ("Reports", True, None)
        assert (first["name"], second["name"]) == ("A.csv", "b.txt"), "folders first, then by name"
        assert (second["size"], second["path"]) == (5, str(root / "b.txt"))
        assert second["modified"].endswith("Z")
        assert await names(client, root / "Reports", key=RUNNER) == ["deep"]
        assert await names(client, "Reports") == ["deep"], "relative to the first root"
        assert (await client.ask("request_drives", READER))["code"] == "FORBIDDEN"
        assert (await client.ask("request_directory_list", READER, path=str(root)))["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/", "FORBIDDEN"),
        ("/etc", "FORBIDDEN"),
        ("/proc/self/root", "FORBIDDEN"),
        ("{root}/..", "FORBIDDEN"),
        ("{root}/Reports/../../data", "FORBIDDEN"),
        ("{root}-evil", "FORBIDDEN"),
        ("{root}/out", "FORBIDDEN"),
        ("{root}/out/engine", "FORBIDDEN"),
        ("{root}/.hidden", "FORBIDDEN"),
        ("{root}/a\x00b", "FORBIDDEN"),
        ("{data}/engine", "FORBIDDEN"),
        ("{root}/nothing", "NOT_FOUND"),
        ("{root}/b.txt", "NOT_FOUND"),
        ("", "FORBIDDEN"),
        ("x" * 5000, "INVALID_REQUEST"),
    ],
)
async def test_a89_there_is_no_way_out(tmp_path: Path, root: Path, path: str, code: str) -> None:
    data = tmp_path / "data"
    (root / ".hidden").mkdir()
    (tmp_path / "root-evil").mkdir()
    (root / "out").symlink_to(data)
    async with engine(data, **roots(root)) as running, talker(running) as client:
        answer = await client.ask("request_directory_list", path=path.format(root=root, data=data))
        assert (answer["type"], answer["code"]) == ("error", code)


async def test_hidden_secret_and_strange_things_are_left_out(tmp_path: Path, root: Path) -> None:
    for name in (".env", ".git", "id_rsa", "server.key", "my-Passwords.txt", "api_token.txt", "wallet.kdbx"):
        (root / name).write_text("x")
    os.mkfifo(root / "pipe")
    (root / "to-etc").symlink_to("/etc")
    (root / "to-passwd").symlink_to("/etc/passwd")
    (root / "to-nothing").symlink_to("nothing")
    (root / "to-itself").symlink_to("to-itself")
    (root / "to-hidden").symlink_to(".env")
    (root / "inside").symlink_to("Reports")
    (root / "line\nbreak").write_text("x")
    os.mkdir(os.fsencode(root) + b"/\xff\xfe")  # noqa: PTH102 - a name that is no text
    async with engine(tmp_path / "data", **roots(root)) as running, talker(running) as client:
        assert await names(client, root) == ["inside", "Reports", "A.csv", "b.txt"]


async def test_the_engines_own_data_is_not_shown_even_where_a_root_contains_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    async with engine(tmp_path / "data", **roots(tmp_path)) as running, talker(running) as client:
        assert await names(client, tmp_path) == ["mine"]
        refused = await client.ask("request_directory_list", path=str(tmp_path / "data"))
        assert refused["code"] == "FORBIDDEN"


async def test_long_folders_are_cut_after_the_first_by_name(tmp_path: Path, root: Path) -> None:
    for number in range(folders.MOST_ITEMS + 5):
        (root / "Reports" / f"{number:05}.txt").touch()
    async with engine(tmp_path / "data", **roots(root)) as running, talker(running) as client:
        answer = await client.ask("request_directory_list", path=str(root / "Reports"))
        assert answer["truncated"]
        assert len(answer["items"]) == folders.MOST_ITEMS
        assert [item["name"] for item in answer["items"][:2]] == ["deep", "00000.txt"]
