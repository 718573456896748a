"""The rungs of isolation: which one this machine offers, and how a child is started on it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from enum import StrEnum
from pathlib import Path

from core_engine.components.isolation import landlock, seccomp

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

    FUNCTION = "function"
    TEMPLATE = "template"
    QUERY = "query"


_PACKAGES: dict[Task, tuple[str, ...]] = {
    Task.FUNCTION: (),
    Task.TEMPLATE: ("jinja2", "markupsafe"),
    Task.QUERY: ("jmespath",),
}


def command(rung: Rung, task: Task) -> list[str]:
    """Return the argument vector that starts a child; it is to be run with an empty environment."""
    packages = _package_folders(task)
    interpreter = str(Path(sys.executable).resolve())
    readable = [*_interpreter_folders(), *_LIBRARIES, *_SYSTEM_FILES, *packages]
    spec = {
        "task": task.value,
        "root": str(_ROOT),
        "packages": packages,
        "readable": readable,
        "parent": 0 if rung is Rung.BUBBLEWRAP else os.getpid(),
        "need_landlock": rung is Rung.LANDLOCK,
        "files": rung is not Rung.SECCOMP,
    }
    program = [interpreter, "-I", "-S", "-B", str(_CHILD), json.dumps(spec)]
    return [*_bubblewrap(packages), *program] if rung is Rung.BUBBLEWRAP else program


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
    """Tell whether a task may run on a rung: programs need the file system walled off, the others do not."""
    return rung is not Rung.NONE and (rung is not Rung.SECCOMP or task is not Task.FUNCTION)


def rung_in_force() -> str:
    """Return the name of the rung in force (``bubblewrap``, ``landlock``, ``seccomp`` or ``none``). Blocks."""
    return detect().value


def _bubblewrap(packages: list[str]) -> list[str]:
    shown = ["/usr", *_LIBRARIES, *_SYSTEM_FILES, *_interpreter_folders(), *packages, str(_CHILD.parent)]
    binds = [word for path in dict.fromkeys(shown) for word in ("--ro-bind-try", path, path)]
    return [
        "/usr/bin/env", "-i", shutil.which("bwrap") or "bwrap",
        "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv",
        "--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", *binds, "--remount-ro", "/", "--chdir", "/", "--",
    ]  # fmt: skip


def _interpreter_folders() -> list[str]:
    paths = sysconfig.get_paths()
    library = sysconfig.get_config_var("LIBDIR") or str(Path(sys.base_prefix) / "lib")
    executable = str(Path(sys.executable).resolve())
    return list(dict.fromkeys([paths["stdlib"], paths["platstdlib"], library, executable]))


def _package_folders(task: Task) -> list[str]:
    """Return the folders that hold a task's packages; they are installed side by side in one or two."""
    found = set()
    for name in _PACKAGES[task]:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            found.add(str(Path(spec.origin).parents[1]))
    return sorted(found)
