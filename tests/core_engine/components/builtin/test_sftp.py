"""Files on a real SSH server."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import asyncssh
import pytest
from pydantic import ValidationError

from core_engine.components.builtin.sftp.component import Sftp
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.support.tcp import serving


@pytest.fixture
def door(file_server) -> dict[str, Any]:
    return {
        "host": "127.0.0.1", "port": file_server.port, "username": "garden", "password": "pass word",
        "host_key": file_server.host_key, "timeout_seconds": 30,
    }  # fmt: skip


async def test_a_file_goes_there_and_comes_back(run, door, root, file_server) -> None:
    content = bytes(range(256)) * 5000
    (root / "up.bin").write_bytes(content)
    await run("sftp", {**door, "action": "make_folder", "remote_path": "in/today"})
    up = {**door, "action": "upload", "local_path": "up.bin", "remote_path": "in/today/file.bin"}
    sent = (await run("sftp", up)).outputs["success"].data
    assert sent["sha256"] == hashlib.sha256(content).hexdigest()
    assert [path.name for path in (file_server.folder / "in/today").iterdir()] == ["file.bin"]
    down = {**door, "action": "download", "local_path": "back/x.bin", "remote_path": "in/today/file.bin"}
    got = (await run("sftp", down)).outputs["success"].data
    assert (root / "back/x.bin").read_bytes() == content
    assert (got["size_bytes"], got["sha256"]) == (len(content), sent["sha256"])
    listed = (await run("sftp", {**door, "remote_path": "in/today"})).outputs["success"].data
    (item,) = listed["items"]
    assert (item["name"], item["kind"], item["size_bytes"]) == ("file.bin", "file", len(content))
    assert item["path"] == "in/today/file.bin"
    await run("sftp", {**door, "action": "delete", "remote_path": "in/today/file.bin"})
    assert list((file_server.folder / "in/today").iterdir()) == []


async def test_what_is_there_stays_unless_asked(run, door, root, file_server) -> None:
    (root / "here").write_text("here")
    (file_server.folder / "there").write_text("there")
    for action in ("upload", "download"):
        config = {**door, "action": action, "local_path": "here", "remote_path": "there"}
        with pytest.raises(FloworkError) as caught:
            await run("sftp", config)
        assert caught.value.code is ErrorCode.CONFLICT
        assert ((root / "here").read_text(), (file_server.folder / "there").read_text()) == ("here", "there")
    await run("sftp", {**config, "overwrite": True})
    assert (root / "here").read_text() == "there"
    (root / "here").write_text("new")
    await run("sftp", {**config, "overwrite": True, "action": "upload"})
    assert (file_server.folder / "there").read_text() == "new"
    assert [path.name for path in file_server.folder.iterdir()] == ["there"]


async def test_a_private_key_signs_in_and_a_wrong_password_does_not(run, door, file_server) -> None:
    await run("sftp", {**door, "password": "", "private_key": file_server.user_key})
    with pytest.raises(FloworkError, match="did not accept") as caught:
        await run("sftp", {**door, "password": "wrong-one"})
    assert "wrong-one" not in f"{caught.value}{caught.value.details}"
    with pytest.raises(FloworkError, match="private key cannot be read"):
        await run("sftp", {**door, "private_key": "nonsense"})


async def test_the_host_key_must_be_the_one_that_was_given(run, door, file_server) -> None:
    key = asyncssh.import_public_key(file_server.host_key)
    for spelled in (f"127.0.0.1 {file_server.host_key}", key.get_fingerprint("sha256")):
        data = (await run("sftp", {**door, "host_key": spelled})).outputs["success"].data
        assert data["host_key"] == key.get_fingerprint("sha256")
    other = asyncssh.generate_private_key("ssh-ed25519")
    for wrong in (other.export_public_key().decode(), other.get_fingerprint("sha256")):
        with pytest.raises(FloworkError, match="another host key") as caught:
            await run("sftp", {**door, "host_key": wrong})
        assert caught.value.code is ErrorCode.FORBIDDEN
    with pytest.raises(FloworkError, match="neither a public key nor a fingerprint"):
        await run("sftp", {**door, "host_key": "nonsense"})


async def test_a_key_is_noted_on_first_use_and_wanted_ever_after(run, door, root, file_server) -> None:
    config = {**door, "host_key": "", "host_key_check": "first_use", "host_keys_file": "keys.txt"}
    (root / "keys.txt").write_text("[other.example]:22 ssh-ed25519 AAAA")
    for _ in range(2):
        await run("sftp", config)
    lines = (root / "keys.txt").read_text().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"[127.0.0.1]:{file_server.port} ssh-ed25519 ")
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    (root / "keys.txt").write_text(f"[127.0.0.1]:{file_server.port} {other}")
    with pytest.raises(FloworkError, match="another host key"):
        await run("sftp", config)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"action": "download", "local_path": "../x", "remote_path": "f"}, ErrorCode.FORBIDDEN),
        ({"action": "upload", "local_path": "/etc/passwd", "remote_path": "f"}, ErrorCode.FORBIDDEN),
        ({"action": "download", "local_path": "x", "remote_path": "none"}, ErrorCode.NOT_FOUND),
        ({"action": "download", "local_path": "x", "remote_path": "f", "max_mib": 0.001}, ErrorCode.TOO_LARGE),
        ({"action": "upload", "local_path": "big", "remote_path": "g", "max_mib": 0.001}, ErrorCode.TOO_LARGE),
        ({"action": "delete", "remote_path": "none"}, ErrorCode.NOT_FOUND),
        ({"action": "list", "remote_path": "none"}, ErrorCode.NOT_FOUND),
    ],
)  # fmt: skip
async def test_what_cannot_be_done_leaves_nothing(run, door, root, file_server, change, code) -> None:
    (file_server.folder / "f").write_bytes(bytes(5000))
    (root / "big").write_bytes(bytes(5000))
    with pytest.raises(FloworkError) as caught:
        await run("sftp", {**door, **change})
    assert caught.value.code is code
    assert [path.name for path in root.iterdir()] == ["big"]
    assert [path.name for path in file_server.folder.iterdir()] == ["f"]


async def test_a_silent_server_is_given_up(run, door) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(say_nothing) as port:
        with pytest.raises(FloworkError, match=r"did not finish within 0\.3 s"):
            await run("sftp", {**door, "port": port, "timeout_seconds": 0.3})


async def test_a_private_server_is_refused(step, door) -> None:
    component = Sftp(NetworkPolicy())
    with pytest.raises(FloworkError) as caught:
        await component.execute(step, component.parse_config(door), Payload())
    assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"host_key": ""}, "host_key"), ({"password": ""}, "password"), ({"action": "upload"}, "local_path"),
        ({"action": "burn"}, "action"), ({"port": 70_000}, "port"), ({"username": ""}, "username"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(registry, door, change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("sftp").parse_config({**door, **change})
    error = caught.value.errors()[0]
    assert what in str(error["loc"]) + error["msg"]


@pytest.mark.parametrize(
    ("change", "policy"),
    [
        ({}, StepPolicy.REPEATABLE), ({"action": "make_folder"}, StepPolicy.KEYED),
        ({"action": "upload", "local_path": "x"}, StepPolicy.ONCE), ({"action": "delete"}, StepPolicy.ONCE),
        ({"action": "upload", "local_path": "x", "overwrite": True}, StepPolicy.KEYED),
    ],
)  # fmt: skip
async def test_simulating_connects_to_nobody(run, registry, door, root, change, policy: StepPolicy) -> None:
    result = await run("sftp", {**door, "port": 1, **change}, mode=RunMode.SIMULATE)
    assert result.outputs["success"].data["simulated"] is True
    assert list(root.iterdir()) == []
    component = registry.find("sftp")
    assert component.policy_for(component.parse_config({**door, **change})) is policy
