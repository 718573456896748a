"""Backups: what is in them, what is refused, and a platform that goes on from one."""

from __future__ import annotations

import fcntl
import gzip
import io
import json
import sqlite3
import stat
import tarfile
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowork.cli import cli
from flowork.deployment import backup, restore
from shared.errors import ErrorCode, FloworkError
from tests.support.platform import ROOT, Platform, running_platform

WORKFLOW = str(ROOT / "examples" / "hello.json")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("engine/blobs/ab", "gateway", "files"):
        (folder / name).mkdir(parents=True)
    (folder / "engine" / "blobs" / "ab" / "abcd").write_bytes(b"payload" * 1000)
    (folder / "engine" / "engine.key").write_text("00" * 32)
    (folder / "engine" / "engine.lock").write_text("1\n")
    (folder / "engine" / "address.json").write_text("{}")
    (folder / "files" / ".hidden.lock").write_text("of the user")
    with closing(sqlite3.connect(folder / "engine" / "engine.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE runs (number INTEGER, copy INTEGER)")
        database.commit()
    return folder


def members(archive: Path) -> list[str]:
    with tarfile.open(archive) as tar:
        return tar.getnames()


def packed(target: Path, contents: dict[str, bytes]) -> Path:
    with tarfile.open(target, "w:gz") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def test_it_holds_what_counts_and_nothing_else(data: Path, tmp_path: Path) -> None:
    (data / "files" / "outside").symlink_to("/etc/passwd")
    archive = tmp_path / "backup.tar.gz"
    made = backup.create(data, archive)
    assert members(archive) == [
        "engine/engine.db",
        "engine/blobs/ab/abcd",
        "engine/engine.key",
        "files/.hidden.lock",
        "manifest.json",
    ]
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert restore.verify(archive) == made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar.gz", "data"]


def test_a_database_in_use_is_copied_as_one_state(data: Path, tmp_path: Path) -> None:
    stop, writing = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(data / "engine" / "engine.db", timeout=30)) as database:
            number = 0
            while not stop.is_set():
                number += 1
                with database:
                    database.execute("INSERT INTO runs VALUES (?, 1)", (number,))
                    database.execute("INSERT INTO runs VALUES (?, 2)", (number,))
                if number == 20:
                    writing.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert writing.wait(60)
        backup.create(data, tmp_path / "backup.tar.gz")
    finally:
        stop.set()
        writer.join()
    restore.restore(tmp_path / "backup.tar.gz", tmp_path / "fresh")
    with closing(sqlite3.connect(tmp_path / "fresh" / "engine" / "engine.db")) as database:
        rows = database.execute("SELECT copy, count(*), max(number) FROM runs GROUP BY copy").fetchall()
    assert rows[0][1:] == rows[1][1:]
    assert rows[0][1] == rows[0][2] >= 20


def test_restored_files_are_the_owners_alone(data: Path, tmp_path: Path) -> None:
    backup.create(data, tmp_path / "backup.tar.gz")
    fresh = tmp_path / "fresh"
    (fresh / "engine").mkdir(parents=True)  # an empty mount point is no content
    restore.restore(tmp_path / "backup.tar.gz", fresh)
    key = fresh / "engine" / "engine.key"
    assert key.read_text() == "00" * 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((fresh / "files").stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["cut", "byte", "missing", "more", "other", "no list", "path", "database"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(data: Path, tmp_path: Path, damage: str) -> None:
    archive = tmp_path / "backup.tar.gz"
    backup.create(data, archive)
    bad = tmp_path / "bad.tar.gz"
    raw, parts = archive.read_bytes(), contents(archive)
    key, listed = "engine/engine.key", parts.pop("manifest.json")
    if damage == "cut":
        bad.write_bytes(raw[: len(raw) // 2])
    elif damage == "byte":
        loose = bytearray(gzip.decompress(raw))
        loose[loose.index(b"payload")] ^= 1
        bad.write_bytes(gzip.compress(bytes(loose)))
    else:
        if damage == "missing":
            del parts[key]
        elif damage == "more":
            parts["engine/more"] = b"x"
        elif damage == "other":
            parts[key] = b"11" * 32
        elif damage == "path":
            parts["../outside"] = b"x"
        elif damage == "database":
            content = parts["engine/engine.db"]
            parts["engine/engine.db"] = content[:100] + b"\xff" * (len(content) - 100)
        packed(bad, parts | ({} if damage == "no list" else {"manifest.json": listed}))
    with pytest.raises(FloworkError) as refused:
        restore.restore(bad, tmp_path / "fresh")
    assert refused.value.code is ErrorCode.INVALID_REQUEST
    assert not (tmp_path / "fresh").exists()
    assert not (tmp_path / "outside").exists()


def test_what_is_in_the_way_is_never_replaced(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "backup.tar.gz"
    backup.create(data, archive)
    for target in (archive, data / "inside.tar.gz"):
        with pytest.raises(FloworkError) as refused:
            backup.create(data, target)
        assert refused.value.code is ErrorCode.CONFLICT
    with pytest.raises(FloworkError, match="is not empty"):
        restore.restore(archive, data)
    with (data / "engine" / "engine.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(FloworkError, match="is running"):
            restore.restore(archive, data)
    with pytest.raises(FloworkError, match="no data folder"):
        backup.create(tmp_path / "nowhere", tmp_path / "other.tar.gz")


def test_a_broken_database_makes_no_backup(data: Path, tmp_path: Path) -> None:
    path = data / "engine" / "engine.db"
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with pytest.raises(FloworkError, match=r"engine\.db"):
        backup.create(data, tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()


def flowork(platform: Platform, home: Path, *words: str) -> str:
    environ = {
        "FLOWORK_HOME": str(home),
        "FLOWORK_DATA_DIR": str(platform.folder),
        "FLOWORK_PRIVATE_KEY": platform.owner.private_key_hex(),
    }
    done = CliRunner().invoke(cli, list(words), env=environ)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_platform_goes_on_from_a_backup(tmp_path: Path) -> None:
    home, archive = tmp_path / "home", tmp_path / "backup.tar.gz"
    with running_platform(tmp_path / "old") as old:
        flowork(old, home, "run", WORKFLOW)
        (run,) = json.loads(flowork(old, home, "runs", "list", "--json"))
        made = json.loads(flowork(old, home, "backup", "create", str(archive), "--json"))
    assert made["databases"] == 3, "the engine's, the gateway's, and its used signatures"
    flowork(old, home, "backup", "verify", str(archive))
    new = Platform(
        tmp_path / "new", owner=old.owner, secret=old.secret, engine_id=old.engine_id, token=old.token
    )
    flowork(new, home, "backup", "restore", str(archive))
    try:
        new.start_gateway()
        new.start_engine()
        new.wait_online()
        assert json.loads(flowork(new, home, "runs", "list", "--json")) == [run]
        flowork(new, home, "run", WORKFLOW)
        assert len(json.loads(flowork(new, home, "runs", "list", "--json"))) == 2
    finally:
        new.close()
