"""One container from its making to its removal."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils.socket import STDERR, SocketError, frames_iter

from core_engine.components.builtin.docker_container import orphans
from core_engine.components.builtin.docker_container.daemon import connect
from core_engine.components.fields import typed_values
from core_engine.components.isolation.process import BoundedLog, OnLog
from core_engine.components.isolation.rungs import TEMPORARY_BYTES
from core_engine.components.isolation.tasks.program import GRACE_SECONDS, Output
from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.components.builtin.docker_container.component import DockerConfig

LABEL = "io.flowork.step"
_CALL_SECONDS = 60
_FIRST_SECONDS = 20
"""How long the daemon may take for its first answer: one that hangs is told from one that is busy."""
_JSON_BYTES = 8  # more than a byte can take as JSON
_MIB = 1024 * 1024


class Job:
    """Runs one container. `run` blocks; `stop` may be called from another thread."""

    def __init__(
        self,
        config: DockerConfig,
        folders: Mapping[str, Path],
        key: str,
        on_log: OnLog,
        *,
        answers: bool = False,
    ) -> None:
        """Prepare; with ``answers`` the standard output is an answer, and no part of the log."""
        self._answers = answers
        self._config = config
        self._folders = folders
        self._key = key
        self._log = BoundedLog(on_log)
        self._until = time.monotonic() + config.timeout_seconds
        most = config.max_output_kib * 1024
        self._kept = {name: Output(most, _JSON_BYTES * most) for name in ("stdout", "stderr")}
        self._lock = threading.Lock()
        self._container: Any = None
        self._ended_because = ""

    def run(self) -> dict[str, Any]:
        """Return ``exit_code``, ``stdout``, ``stderr`` and ``cut``; raises FloworkError. The container is removed."""
        timer = threading.Timer(
            self._config.timeout_seconds, self._end, (f"ran longer than {self._config.timeout_seconds:g} s",)
        )
        killer = threading.Timer(self._config.timeout_seconds + GRACE_SECONDS, self.stop)
        timer.daemon = killer.daemon = True
        try:
            client = connect(_FIRST_SECONDS)
        except DockerException as error:
            raise _unavailable(error) from None
        client.api.timeout = _CALL_SECONDS
        timer.start()
        killer.start()
        try:
            return self._run(client)
        except (DockerException, SocketError, requests.RequestException) as error:
            self._raise_if_ended()
            raise FloworkError(ErrorCode.COMPONENT_FAILED, f"Docker: {_short(error)}") from None
        finally:
            timer.cancel()
            killer.cancel()
            with self._lock:  # a stop may be on its way over this client, or come later
                self._remove()
                self._container = None
                client.close()

    def stop(self, reason: str = "was stopped") -> None:
        """Kill the container, or see to it that it is not started."""
        with self._lock:
            self._ended_because = self._ended_because or reason
            if self._container is not None:
                with suppress(DockerException, requests.RequestException):
                    self._container.kill()

    def _end(self, reason: str) -> None:
        """Tell the container to end, for a reason; it is killed after the grace."""
        with self._lock:
            self._ended_because = self._ended_because or reason
            if self._container is not None:
                with suppress(DockerException, requests.RequestException):
                    self._container.kill(signal="SIGTERM")

    def _run(self, client: Any) -> dict[str, Any]:
        self._have_image(client)
        made = client.containers.create(self._config.image, **self._options())
        with self._lock:
            self._container = made
        self._raise_if_ended()
        stream = _attach(client, made.id)
        try:
            with self._lock:
                if not self._ended_because:
                    made.start()
            self._raise_if_ended()
            for kind, data in frames_iter(stream, tty=False):
                self._take("stderr" if kind == STDERR else "stdout", data)
        finally:
            stream._response.close()  # noqa: SLF001 - the library closes it nowhere
            stream.close()
        self._log.finish()
        self._raise_if_ended()
        code = int(made.wait(timeout=_CALL_SECONDS)["StatusCode"])
        made.reload()
        if made.attrs["State"].get("OOMKilled"):
            raise _failed(f"used more than {self._config.memory_mb} MiB")
        texts = {name: kept.text() for name, kept in self._kept.items()}
        return {"exit_code": code, **texts, "cut": any(kept.cut for kept in self._kept.values())}

    def _take(self, name: str, data: bytes) -> None:
        if name != "stdout" or not self._answers:
            self._log.feed(data)
        self._kept[name].take(data)

    def _have_image(self, client: Any) -> None:
        try:
            client.images.get(self._config.image)
        except ImageNotFound:
            if self._config.pull == "never":
                raise FloworkError(
                    ErrorCode.NOT_FOUND, f"The image {self._config.image!r} is not on this machine."
                ) from None
            for _ in client.api.pull(self._config.image, stream=True):
                self._raise_if_ended()

    def _options(self) -> dict[str, Any]:
        config = self._config
        try:
            words = [*shlex.split(config.command), *map(str, config.arguments)]
            values = typed_values(config.environment)
        except ValueError as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"The settings: {error}.") from error
        writable = {item.target for item in config.mounts if item.write}
        mounts = [
            docker.types.Mount(
                target, str(folder), type="bind", read_only=target not in writable, propagation="rprivate"
            )
            for target, folder in self._folders.items()
        ]
        return {
            "command": words or None,
            "environment": {
                name: value if isinstance(value, str) else str(value) for name, value in values.items()
            },
            "mounts": mounts,
            "network_mode": config.network,
            "mem_limit": config.memory_mb * _MIB,
            "memswap_limit": config.memory_mb * _MIB,
            "nano_cpus": int(config.cpus * 1_000_000_000),
            "pids_limit": config.pids,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
            "privileged": False,
            "ipc_mode": "private",
            "read_only": config.read_only,
            "tmpfs": {"/tmp": f"rw,nosuid,nodev,size={TEMPORARY_BYTES},mode=1777"},  # noqa: S108 - its own
            "init": True,
            "stdin_open": False,
            "labels": {LABEL: self._key, orphans.LABEL: orphans.own_mark()},
        }

    def _raise_if_ended(self) -> None:
        if self._ended_because:
            raise _failed(self._ended_because)

    def _remove(self) -> None:
        if self._container is not None:
            with suppress(NotFound, APIError, requests.RequestException):
                self._container.remove(force=True, v=True)


def _attach(client: Any, container: str) -> Any:
    """Open a container's streams. It is done before its start, so nothing is missed.

    Reading has no time limit of its own: a container may keep silent as long as it runs, which is bounded.
    """
    client.api.timeout = None
    try:
        wanted = {"stdout": 1, "stderr": 1, "stream": 1, "logs": 1}
        return client.api.attach_socket(container, params=wanted)
    finally:
        client.api.timeout = _CALL_SECONDS


def _failed(what: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"The container {what} and was ended.")


def _unavailable(error: Exception) -> FloworkError:
    text = _short(error)
    known = text if text.startswith("No Docker") else f"No Docker engine answers here: {text}"
    return FloworkError(ErrorCode.SANDBOX_UNAVAILABLE, known)


def _short(error: Exception) -> str:
    return " ".join(str(getattr(error, "explanation", None) or error).split())[:500]
