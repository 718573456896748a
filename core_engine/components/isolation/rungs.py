"""The rungs of isolation: which one this machine offers, and how a child is started on it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from core_engine.components.isolation import landlock, proxy, seccomp
from core_engine.components.isolation.hosts import Hosts

_CHILD = Path(__file__).with_name("child.py")
_ROOT = Path(__file__).parents[3]
_PROBE_SECONDS = 20.0
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/usr/share/zoneinfo")


class Rung(StrEnum):
    """How foreign code is walled in; the first that works is used.

    BUBBLEWRAP: namespaces of its own, with seccomp and (where the kernel has it) Landlock inside.
    LANDLOCK: Landlock, seccomp and limits; works in an unprivileged container too.
    SECCOMP: seccomp and limits, and no file can be opened by name. Enough for templates and queries, which are
    languages of our own interpreters; programs are refused.
    NONE: nothing works here, so all of it is refused.
    """

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    SECCOMP = "seccomp"
    NONE = "none"


class Task(StrEnum):
    """What a child does; each is a module of `tasks`."""

    COMPONENT = "component"
    FUNCTION = "function"
    JAVASCRIPT = "javascript"
    PROGRAM = "program"
    TEMPLATE = "template"
    QUERY = "query"


_PACKAGES: dict[Task, tuple[str, ...]] = {
    Task.COMPONENT: (),
    Task.FUNCTION: (),
    Task.JAVASCRIPT: ("_quickjs",),
    Task.PROGRAM: (),
    Task.TEMPLATE: ("jinja2", "markupsafe"),
    Task.QUERY: ("jmespath",),
}

CODE_OF_OTHERS = frozenset({Task.COMPONENT, Task.FUNCTION, Task.JAVASCRIPT, Task.PROGRAM})
"""Tasks whose isolation is told in the step's record."""

TEMPORARY_BYTES = 64 * 1024 * 1024
"""Size of a child's own temporary folder; it lives in memory and ends with the child."""

MOST_FILE_BYTES = 1024 * 1024 * 1024
"""Largest file a child may write into a folder that was opened for it."""

_PYTHON = frozenset({Task.COMPONENT, Task.FUNCTION})
_WITH_TEMPORARY = frozenset({*_PYTHON, Task.PROGRAM})
_PROGRAM_FILES = ("/bin", "/sbin", "/usr", "/etc/alternatives")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Openings:
    """What is opened to one child: real paths of folders, and hosts, which it reaches through the engine."""

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    hosts: Hosts = field(default_factory=Hosts)

    def __bool__(self) -> bool:
        return bool(self.readable or self.writable or self.hosts)


def command(rung: Rung, task: Task, openings: Openings = Openings(), door: int | None = None) -> list[str]:
    """Return the argument vector that starts a child; it is to be run with an empty environment.

    ``door`` is the descriptor of the child's end of its way out, for one that hosts are opened to.
    """
    packages = _package_folders(task)
    interpreter = str(Path(sys.executable).resolve())
    programs = task is Task.PROGRAM
    temporary = ["/tmp"] if rung is Rung.BUBBLEWRAP and task in _WITH_TEMPORARY else []  # noqa: S108 - its own
    authorities = [] if door is None else _authorities()
    readable = [
        *authorities,
        *_interpreter_folders(),
        *_LIBRARIES,
        *_SYSTEM_FILES,
        *packages,
        *openings.readable,
    ]
    largest = MOST_FILE_BYTES if openings.writable else TEMPORARY_BYTES if temporary else 0
    spec = {
        "task": task.value,
        "door": door,
        "root": str(_ROOT),
        "packages": packages,
        "readable": [*readable, *_PROGRAM_FILES] if programs else readable,
        "writable": [*temporary, *openings.writable, *(_DEVICES if programs else ())],
        "walls": {
            "parent": 0 if rung is Rung.BUBBLEWRAP else os.getpid(),
            "need_landlock": rung is Rung.LANDLOCK,
            "files": rung is not Rung.SECCOMP,
            "programs": programs,
            "file_bytes": largest,
            "port": proxy.PORT if programs and door is not None else 0,
        },
    }
    program = [interpreter, "-I", "-S", "-B", str(_CHILD), json.dumps(spec)]
    if rung is not Rung.BUBBLEWRAP:
        return program
    shown = [*packages, *authorities, *(_PROGRAM_FILES if programs else ())]
    return [*_bubblewrap(shown, openings, temporary=bool(temporary), devices=programs), *program]


def works(rung: Rung) -> bool:
    """Start a child on the rung and tell whether it locked itself. Blocks for some ten milliseconds."""
    if not seccomp.supported() or (rung is Rung.BUBBLEWRAP and shutil.which("bwrap") is None):
        return False
    if rung is Rung.NONE or (rung is Rung.LANDLOCK and landlock.abi() < landlock.NETWORK_ABI):
        return False
    try:
        done = subprocess.run(
            command(rung, Task.FUNCTION), stdin=subprocess.DEVNULL, capture_output=True, env={}, cwd="/",
            timeout=_PROBE_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b'"ready"' in done.stdout


def detect() -> Rung:
    """Return the strongest rung that works here. Blocks."""
    strongest_first = (Rung.BUBBLEWRAP, Rung.LANDLOCK, Rung.SECCOMP)
    return next((rung for rung in strongest_first if works(rung)), Rung.NONE)


def suffices(rung: Rung, task: Task) -> bool:
    """Tell whether a task may run on a rung.

    Python needs the file system walled off. Programs need a process namespace as well, because without one what
    they leave running could not be ended for certain. The others are interpreters without a way to a file.
    """
    if task is Task.PROGRAM:
        return rung is Rung.BUBBLEWRAP
    return rung is not Rung.NONE and (rung is not Rung.SECCOMP or task not in _PYTHON)


def rung_in_force() -> str:
    """Return the name of the rung in force (``bubblewrap``, ``landlock``, ``seccomp`` or ``none``). Blocks."""
    return detect().value


def _bubblewrap(more: list[str], openings: Openings, *, temporary: bool, devices: bool) -> list[str]:
    shown = ["/usr", *_LIBRARIES, *_SYSTEM_FILES, *_interpreter_folders(), *more, str(_CHILD.parent)]
    binds = [word for path in dict.fromkeys(shown) for word in ("--ro-bind-try", path, path)]
    early = ["--size", str(TEMPORARY_BYTES), "--tmpfs", "/tmp"] if temporary else []  # noqa: S108 - its own
    early += ["--dev", "/dev"] if devices else []
    binds += [word for path in openings.readable for word in ("--ro-bind", path, path)]
    binds += [word for path in openings.writable for word in ("--bind", path, path)]
    return [
        "/usr/bin/env", "-i", shutil.which("bwrap") or "bwrap",
        "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv",
        "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", *early, *binds,
        "--remount-ro", "/", "--chdir", "/", "--",
    ]  # fmt: skip


def _interpreter_folders() -> list[str]:
    paths = sysconfig.get_paths()
    library = sysconfig.get_config_var("LIBDIR") or str(Path(sys.base_prefix) / "lib")
    executable = str(Path(sys.executable).resolve())
    return list(dict.fromkeys([paths["stdlib"], paths["platstdlib"], library, executable]))


def _authorities() -> list[str]:
    """Return where the certificates are by which a child checks the servers it talks to."""
    import ssl  # noqa: PLC0415 - only where used

    paths = ssl.get_default_verify_paths()
    named = {paths.cafile, paths.capath, paths.openssl_cafile, paths.openssl_capath}
    there = {Path(path) for path in named if path and Path(path).exists()}
    there |= {path.resolve() for path in there}
    shown = [*there, Path("/usr")]  # what lies in one of these is seen with it
    return sorted(str(path) for path in there if not any(other in path.parents for other in shown))


def _package_folders(task: Task) -> list[str]:
    """Return the folders that hold a task's packages; they are installed side by side in one or two."""
    found = set()
    for name in _PACKAGES[task]:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            is_folder = bool(spec.submodule_search_locations)
            found.add(str(Path(spec.origin).parents[1 if is_folder else 0]))
    return sorted(found)
