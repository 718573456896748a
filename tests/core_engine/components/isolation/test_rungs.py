from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core_engine.components.isolation import landlock, rungs, seccomp
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.rungs import Openings, Rung, Task


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


PYTHON = str(Path(sys.executable).resolve())
PROGRAM_FILES = ["/bin", "/sbin", "/usr", "/etc/alternatives"]
DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]


def spec_of(command: list[str]) -> dict[str, Any]:
    place = command.index(PYTHON, command.index("--") if "--" in command else 0)
    child = str(Path(rungs.__file__).with_name("child.py"))
    assert command[place : place + 5] == [PYTHON, "-I", "-S", "-B", child]
    assert len(command) == place + 6
    spec: dict[str, Any] = json.loads(command[-1])
    return spec


def binds(command: list[str], option: str) -> list[str]:
    return [command[place + 1] for place, word in enumerate(command) if word == option]


@pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed: no command begins with it"
)
def test_a_child_in_namespaces_is_started_with_all_of_them_and_no_rights() -> None:
    command = rungs.command(Rung.BUBBLEWRAP, Task.QUERY)
    assert command[:17] == [
        "/usr/bin/env", "-i", shutil.which("bwrap"), "--unshare-all", "--unshare-user", "--disable-userns",
        "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534",
        "--ro-bind-try", "/usr",
    ]  # fmt: skip
    end = command.index("--")
    assert command[end - 4 : end] == ["--remount-ro", "/", "--chdir", "/"]
    assert not {"--bind", "--ro-bind", "--tmpfs", "--dev", "--proc"} & set(command)
    shown = binds(command, "--ro-bind-try")
    assert len(shown) == len(set(shown))
    assert str(Path(rungs.__file__).parent) in shown
    assert not {"/", "/etc", "/home", "/root", "/proc", "/tmp", str(Path(rungs.__file__).parents[3])} & set(
        shown
    )
    assert spec_of(command)["walls"] == {
        "parent": 0, "need_landlock": False, "files": True, "programs": False, "file_bytes": 0, "port": 0,
    }  # fmt: skip


@pytest.mark.parametrize("rung", [Rung.LANDLOCK, Rung.SECCOMP])
def test_a_child_without_namespaces_watches_its_engine(rung: Rung) -> None:
    command = rungs.command(rung, Task.TEMPLATE)
    assert command[0] == PYTHON
    spec = spec_of(command)
    assert spec["walls"] == {
        "parent": os.getpid(), "need_landlock": rung is Rung.LANDLOCK, "files": rung is Rung.LANDLOCK,
        "programs": False, "file_bytes": 0, "port": 0,
    }  # fmt: skip
    assert spec["writable"] == []
    assert len(spec["packages"]) >= 1
    assert all(
        (Path(folder) / "jinja2").is_dir() or (Path(folder) / "markupsafe").is_dir()
        for folder in spec["packages"]
    )


def test_python_has_a_small_folder_of_its_own_in_namespaces_only() -> None:
    for task in (Task.FUNCTION, Task.COMPONENT):
        command = rungs.command(Rung.BUBBLEWRAP, task)
        place = command.index("--size")
        assert command[place : place + 4] == ["--size", str(64 * 1024 * 1024), "--tmpfs", "/tmp"]
        spec = spec_of(command)
        assert spec["writable"] == ["/tmp"]
        assert spec["walls"]["file_bytes"] == 64 * 1024 * 1024
        spec = spec_of(rungs.command(Rung.LANDLOCK, task))
        assert spec["writable"] == []
        assert spec["walls"]["file_bytes"] == 0


def test_what_is_opened_is_shown_and_nothing_besides() -> None:
    openings = Openings(readable=("/srv/in",), writable=("/srv/out",))
    command = rungs.command(Rung.BUBBLEWRAP, Task.FUNCTION, openings)
    assert binds(command, "--ro-bind") == ["/srv/in"]
    assert binds(command, "--bind") == ["/srv/out"]
    for option, path in (("--ro-bind", "/srv/in"), ("--bind", "/srv/out")):
        assert command[command.index(option) + 2] == path
    spec = spec_of(command)
    assert "/srv/in" in spec["readable"]
    assert spec["writable"] == ["/tmp", "/srv/out"]
    assert spec["walls"]["file_bytes"] == 1024 * 1024 * 1024
    assert not Openings()
    assert all(
        (
            openings,
            Openings(readable=("/a",)),
            Openings(writable=("/a",)),
            Openings(hosts=Hosts.read(["a.example"])),
        )
    )


def test_a_program_sees_programs_and_devices_and_its_way_out() -> None:
    command = rungs.command(Rung.BUBBLEWRAP, Task.PROGRAM, door=7)
    place = command.index("--dev")
    assert command[place + 1] == "/dev"
    assert set(PROGRAM_FILES) <= set(binds(command, "--ro-bind-try"))
    spec = spec_of(command)
    assert spec["readable"][-4:] == PROGRAM_FILES
    assert spec["writable"] == ["/tmp", *DEVICES]
    assert (spec["door"], spec["walls"]["programs"], spec["walls"]["port"]) == (7, True, rungs.proxy.PORT)
    assert spec_of(rungs.command(Rung.BUBBLEWRAP, Task.PROGRAM))["walls"]["port"] == 0
    other = spec_of(rungs.command(Rung.BUBBLEWRAP, Task.FUNCTION, door=7))
    assert (other["door"], other["walls"]["programs"], other["walls"]["port"]) == (7, False, 0)


def test_only_who_has_a_way_out_is_shown_the_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (authorities := rungs._authorities()):
        assert Path(path).exists()
        assert Path("/usr") not in Path(path).parents
        assert not any(Path(other) in Path(path).parents for other in authorities)
    assert authorities == sorted(authorities)
    monkeypatch.setattr(rungs, "_authorities", lambda: ["/certificates"])
    for rung in (Rung.LANDLOCK, Rung.BUBBLEWRAP):
        with_door = rungs.command(rung, Task.FUNCTION, door=7)
        assert "/certificates" in spec_of(with_door)["readable"]
        assert "/certificates" not in spec_of(rungs.command(rung, Task.FUNCTION))["readable"]
    assert "/certificates" in binds(with_door, "--ro-bind-try")


def test_the_certificates_are_where_the_library_says_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "certs").mkdir()
    for name in ("certs/a.pem", "b.pem"):
        (tmp_path / name).write_text("x")
    (tmp_path / "link.pem").symlink_to(tmp_path / "b.pem")
    places = {
        "cafile": str(tmp_path / "link.pem"), "capath": str(tmp_path / "certs"), "openssl_cafile": None,
        "openssl_capath": str(tmp_path / "certs" / "a.pem"),
    }  # fmt: skip
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: SimpleNamespace(**places))
    assert rungs._authorities() == [str(tmp_path / name) for name in ("b.pem", "certs", "link.pem")]
    places["capath"] = str(tmp_path / "none")
    found = [str(tmp_path / name) for name in ("b.pem", "certs/a.pem", "link.pem")]
    assert rungs._authorities() == found


@pytest.mark.parametrize(
    ("code", "output", "works"),
    [(0, b'{"kind":"ready"}', True), (1, b'{"kind":"ready"}', False), (0, b"", False)],
)
def test_a_rung_works_when_its_child_says_so_and_ends_well(
    monkeypatch: pytest.MonkeyPatch, code: int, output: bytes, works: bool
) -> None:
    asked: list[dict[str, Any]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(options)
        return subprocess.CompletedProcess(command, code, output, b"")

    monkeypatch.setattr(subprocess, "run", run)
    assert rungs.works(Rung.SECCOMP) is works
    assert asked[0]["env"] == {}
    assert asked[0]["timeout"] == 20


@pytest.mark.parametrize("error", [OSError("no"), subprocess.TimeoutExpired("a", 1)])
def test_a_rung_whose_child_cannot_be_started_or_hangs_does_not_work(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def run(*given: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", run)
    assert not rungs.works(Rung.SECCOMP)
    assert rungs.rung_in_force() == "none"


def test_nothing_works_on_no_rung(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, b'"ready"', b"")
    )
    monkeypatch.setattr(landlock, "abi", lambda: landlock.NETWORK_ABI)
    assert not rungs.works(Rung.NONE)
    assert all(rungs.works(rung) for rung in (Rung.SECCOMP, Rung.LANDLOCK))


def test_each_task_needs_its_rung() -> None:
    for rung in Rung:
        assert rungs.suffices(rung, Task.PROGRAM) is (rung is Rung.BUBBLEWRAP)
        for task in (Task.FUNCTION, Task.COMPONENT):
            assert rungs.suffices(rung, task) is (rung in {Rung.BUBBLEWRAP, Rung.LANDLOCK})
        for task in (Task.TEMPLATE, Task.QUERY, Task.JAVASCRIPT):
            assert rungs.suffices(rung, task) is (rung is not Rung.NONE)


def test_the_interpreters_library_is_found_with_or_without_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, folder in (("/opt/lib", "/opt/lib"), (None, str(Path(sys.base_prefix) / "lib"))):
        monkeypatch.setattr("sysconfig.get_config_var", lambda name, setting=setting: setting)
        assert folder in rungs._interpreter_folders()


def test_a_package_that_is_not_installed_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = {Task.QUERY: ("no_such_package_anywhere", "jmespath")}
    monkeypatch.setattr(rungs, "_PACKAGES", packages)
    (folder,) = rungs._package_folders(Task.QUERY)
    assert (Path(folder) / "jmespath").is_dir()


def test_a_package_that_is_one_file_is_shown_with_the_folder_it_is_in() -> None:
    (folder,) = rungs._package_folders(Task.JAVASCRIPT)
    assert list(Path(folder).glob("_quickjs*"))


def test_packages_are_looked_for_where_they_lie_and_missing_ones_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder too high would show the child all that lies beside."""
    for name in ("first", "second", "bare"):
        (tmp_path / name).mkdir()
    (tmp_path / "first" / "rungs_test_single.py").touch()
    (tmp_path / "second" / "rungs_test_package").mkdir()
    (tmp_path / "second" / "rungs_test_package" / "__init__.py").touch()
    (tmp_path / "bare" / "rungs_test_bare").mkdir()
    for name in ("first", "second", "bare"):
        monkeypatch.syspath_prepend(tmp_path / name)
    names = ("rungs_test_single", "rungs_test_package", "rungs_test_bare", "rungs_test_missing")
    monkeypatch.setitem(rungs._PACKAGES, Task.QUERY, names)
    assert rungs._package_folders(Task.QUERY) == [str(tmp_path / "first"), str(tmp_path / "second")]
