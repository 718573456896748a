"""The way to the machine's Docker engine."""

from __future__ import annotations

import os
import socket

import docker
from docker.errors import DockerException

_DEFAULT = "unix:///var/run/docker.sock"
_UNIX = ("unix://", "http+unix://")


def connect(seconds: float) -> docker.DockerClient:
    """Return a client of the engine that ``DOCKER_HOST`` names, to be closed by the caller. Blocks.

    Calls take so many seconds at most. Raises DockerException where no engine answers.
    """
    address = os.environ.get("DOCKER_HOST") or _DEFAULT
    scheme = next((scheme for scheme in _UNIX if address.startswith(scheme)), None)
    if scheme is not None:
        _knock("/" + address.removeprefix(scheme).lstrip("/"), seconds)
    return docker.from_env(timeout=seconds)


def _knock(path: str, seconds: float) -> None:
    """Find out whether somebody listens: the library leaves its socket open where nobody does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(seconds)
        try:
            probe.connect(path)
        except OSError as error:
            raise DockerException(f"{path}: {error.strerror or error}") from error
