"""Free ports for programs that cannot pick one themselves."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port that was free a moment ago; start again with another one where it was taken since."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
