"""Containers whose process is gone: an engine or worker that was killed leaves them behind, running."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from core_engine.components.builtin.docker_container.door import knock

_log = logging.getLogger(__name__)

LABEL = "io.flowork.process"
_SECONDS = 20
_MOST = 1000
_START_TIME = 19  # of the fields of /proc/PID/stat behind the name


def own_mark() -> str:
    """Return what tells this process from every other one of this machine, also from later ones of its number."""
    return f"{_namespace()}:{os.getpid()}:{_started(os.getpid())}"


def is_gone(mark: str) -> bool:
    """Tell whether the process of a mark has ended; False where that cannot be seen from here."""
    namespace, _, rest = mark.partition(":")
    number, _, started = rest.partition(":")
    if namespace != _namespace() or not (number.isascii() and number.isdecimal() and started):
        return False
    return _started(int(number)) != started


def remove_orphans(*, allowed: bool) -> None:
    """Remove the containers of processes that have ended, where containers are ``allowed`` at all. Blocks."""
    if not allowed or knock() is not None:
        return
    import requests  # noqa: PLC0415 - heavy, only where used
    from docker.errors import DockerException  # noqa: PLC0415 - the same

    from core_engine.components.builtin.docker_container.daemon import connect  # noqa: PLC0415 - the same

    try:
        client = connect(_SECONDS)
    except DockerException as error:
        _log.warning("containers left behind are not looked for", extra={"reason": str(error)[:200]})
        return
    try:
        for found in client.containers.list(all=True, filters={"label": LABEL}, limit=_MOST):
            if is_gone(found.labels.get(LABEL, "")):
                with suppress(DockerException, requests.RequestException):
                    found.remove(force=True, v=True)
                    _log.info("removed a container that was left behind", extra={"container": found.name})
    except (DockerException, requests.RequestException) as error:
        _log.warning("containers left behind are not looked for", extra={"reason": str(error)[:200]})
    finally:
        client.close()


def _namespace() -> str:
    """Return the number of the set of processes that this one belongs to: numbers mean nothing outside of it."""
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _started(process: int) -> str:
    """Return when a process began, in the kernel's ticks; empty where there is none."""
    try:
        text = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[_START_TIME]
