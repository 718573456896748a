"""Whether a Docker engine listens on this machine; without the Docker library, which is heavy."""

from __future__ import annotations

import os
import socket

_DEFAULT = "unix:///var/run/docker.sock"
_UNIX = ("unix://", "http+unix://")
_SECONDS = 1.0


def knock(seconds: float = _SECONDS) -> str | None:
    """Return why no engine can be reached at what ``DOCKER_HOST`` names; None where one listens, or is elsewhere.

    Docker's library leaves its socket open where nobody listens.
    """
    address = os.environ.get("DOCKER_HOST") or _DEFAULT
    scheme = next((scheme for scheme in _UNIX if address.startswith(scheme)), None)
    if scheme is None:
        return None
    path = "/" + address.removeprefix(scheme).lstrip("/")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(seconds)
        try:
            probe.connect(path)
        except OSError as error:
            return f"No Docker engine answers here: {path}: {error.strerror or error}"
    return None
