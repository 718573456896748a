"""Figures of several processes as one: each writes its own into files that the answering one adds up.

The library decides when it is imported; `choose_folder` therefore comes before everything else, in gunicorn's master.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def choose_folder(environ: MutableMapping[str, str], workers: int) -> None:
    """Make a new folder for the figures of this gateway's processes; nothing where there is only one."""
    environ.pop(FOLDER, None)
    if workers > 1:
        environ[FOLDER] = tempfile.mkdtemp(prefix="flowork-metrics-")


def are_used() -> bool:
    """Tell whether this process is one of several that answer for each other."""
    return FOLDER in os.environ


def collector() -> Collector | None:
    """Return what adds up the figures of all processes, or None where there is one."""
    if not are_used():
        return None
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - only with several processes

    return MultiProcessCollector(None)  # type: ignore[no-untyped-call]


def forget(pid: int) -> None:
    """Take a process that ended out of what counts living ones, such as open sockets."""
    if are_used():
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - as above

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def remove_folder(environ: MutableMapping[str, str]) -> None:
    """Take the folder away, at the end of the master."""
    if folder := environ.pop(FOLDER, None):
        shutil.rmtree(folder, ignore_errors=True)
