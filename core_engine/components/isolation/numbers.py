"""Limits how many processes a child may have at a time, also where the engine runs as root.

The kernel holds every user but root to RLIMIT_NPROC. For root a control group does it, where one can be made.
"""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

import psutil

from core_engine.components.isolation.lock import MOST_PROCESSES
from shared.errors import ErrorCode, FloworkError

_PLACES = (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup"))
_NAME = "flowork-"
_OWN_PROCESSES = 2
"""bubblewrap's first process in the namespace and our child itself."""
_BURIAL_SECONDS = 2.0


class ProcessLimit:
    """A control group around one child's family; around nothing where the kernel's own limit does."""

    def __init__(self, group: Path | None) -> None:
        self._group = group

    @classmethod
    def around(cls, pid: int) -> ProcessLimit:
        """Put the family of a child that was not asked yet under the limit. Blocks.

        Raises FloworkError SANDBOX_UNAVAILABLE where the engine is root and control groups cannot be made.
        """
        if os.getuid() != 0:
            return cls(None)
        limit = cls(_make_group())
        try:
            limit._admit(pid)
        except (OSError, psutil.Error) as error:
            limit.remove()
            raise FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, f"No control group: {error}") from error
        return limit

    def remove(self) -> None:
        """Remove the group after the child has ended. Blocks, at most for a moment."""
        deadline = time.monotonic() + _BURIAL_SECONDS
        while self._group and time.monotonic() < deadline:
            try:
                self._group.rmdir()
            except FileNotFoundError:
                return
            except OSError:  # the last of them are being buried
                time.sleep(0.01)
            else:
                return

    def _admit(self, pid: int) -> None:
        family = psutil.Process(pid).children(recursive=True)
        if not family:
            raise OSError("the child has ended")
        for process in family:
            (self._group / "cgroup.procs").write_text(str(process.pid))  # type: ignore[operator]


def _make_group() -> Path:
    for place in _PLACES:
        for old in place.glob(f"{_NAME}*"):
            with suppress(OSError, ValueError):  # of one that lives it may be empty only for now
                if not psutil.pid_exists(int(old.name.removeprefix(_NAME).partition("-")[0])):
                    old.rmdir()
        group = place / f"{_NAME}{os.getpid()}-{secrets.token_hex(6)}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            with (group / "pids.max").open("r+") as file:
                file.write(str(MOST_PROCESSES + _OWN_PROCESSES))
        except OSError:
            group.rmdir()
            continue
        return group
    raise FloworkError(
        ErrorCode.SANDBOX_UNAVAILABLE,
        "The engine runs as root, and this machine lets it make no control group that limits the number of a program's"
        " processes. Run the engine as another user.",
    )
