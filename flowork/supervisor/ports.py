"""The ports that the services of one machine listen on, checked before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import ErrorCode, FloworkError


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening address: the settings that name it and its documented default port."""

    host_setting: str
    port_setting: str
    default_port: int


LISTENERS = (
    Listener("GATEWAY_HOST", "GATEWAY_PORT", 8000),
    Listener("ENGINE_SOCKET_HOST", "ENGINE_SOCKET_PORT", 8765),
    Listener("ENGINE_HTTP_HOST", "ENGINE_HTTP_PORT", 8989),
)
DEFAULT_HOST = "127.0.0.1"


def require_free_ports(environ: Mapping[str, str]) -> None:
    """Raise CONFLICT, naming the setting, when a port is taken that a service is going to need."""
    for item in LISTENERS:
        text = environ.get(item.port_setting) or str(item.default_port)
        # What is no port number is refused by the service itself, which knows the rule.
        if text.isdecimal() and 0 < int(text) < 65536:
            _require_free(environ.get(item.host_setting) or DEFAULT_HOST, int(text), item.port_setting)


def _require_free(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise FloworkError(
                ErrorCode.CONFLICT,
                f"Port {port} on {host} cannot be used ({error.strerror}); stop the program that has it, "
                f"or choose another port with {setting}.",
            ) from error
