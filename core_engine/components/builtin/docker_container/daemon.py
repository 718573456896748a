"""The way to the machine's Docker engine."""

from __future__ import annotations

import docker
from docker.errors import DockerException

from core_engine.components.builtin.docker_container.door import knock


def connect(seconds: float) -> docker.DockerClient:
    """Return a client of the engine that ``DOCKER_HOST`` names, to be closed by the caller. Blocks.

    Calls take so many seconds at most. Raises DockerException where no engine answers.
    """
    if refusal := knock(seconds):
        raise DockerException(refusal)
    return docker.from_env(timeout=seconds)
