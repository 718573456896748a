"""Runs a gateway in this process until it is told to stop."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import Protocol

from gateway import address, startup
from gateway.app import GatewayApp
from gateway.settings import GatewaySettings
from gateway.stopping import StopSignal
from shared import collector
from shared.errors import ErrorCode, FloworkError

_log = logging.getLogger(__name__)


class Server(Protocol):
    """A WSGI server that was bound to its port and can be started."""

    @property
    def port(self) -> int:
        """The port that is really listened on."""
        ...

    def start(self) -> None:
        """Begin to accept connections."""
        ...

    def stop(self) -> None:
        """Stop accepting, and end within two seconds."""
        ...


def main(environ: Mapping[str, str]) -> int:
    """Serve; return the exit code: 0 after a signal, 78 with a message where the settings are wrong."""
    stop = StopSignal()
    try:
        settings = startup.read_settings(environ)
        app = startup.build(settings)
        try:
            run(settings, app, listen(settings, app), stop)
        finally:
            app.close()
    except FloworkError as error:
        print(f"flowork gateway: {error.message}", file=sys.stderr)  # noqa: T201 - the log may not be set up
        return error.meaning.exit
    finally:
        stop.close()
    return 0


def run(settings: GatewaySettings, app: GatewayApp, server: Server, stop: StopSignal) -> None:
    """Serve until the signal comes, then end sockets and server."""
    server.start()
    collector.resume()
    address.announce(settings, settings.server.host, server.port)
    stop.wait()
    _log.info("gateway stopping")
    address.withdraw(settings)
    app.close_sockets()
    server.stop()


def listen(settings: GatewaySettings, app: GatewayApp) -> Server:
    """Bind the configured port; raises CONFIGURATION where that is impossible."""
    host, port = settings.server.host, settings.server.port
    try:
        if settings.server.async_mode == "eventlet":
            from gateway.green import GreenServer  # noqa: PLC0415 - one runtime, not both

            return GreenServer(app, host, port)
        from gateway.threads import ThreadServer  # noqa: PLC0415

        return ThreadServer(app, host, port)
    except OSError as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION,
            f"Cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}. "
            "Set GATEWAY_PORT (0 picks a free port).",
        ) from error
