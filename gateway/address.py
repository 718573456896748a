"""Where a running gateway can be reached: said in the log, and in a file where supervisors look."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path

from gateway.settings import GatewaySettings

ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound

_log = logging.getLogger(__name__)


def url_of(host: str, port: int) -> str:
    """Return the address under which this machine reaches a listening gateway."""
    reachable = ANY_ADDRESS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def address_file(settings: GatewaySettings) -> Path:
    """Return where the address of the running gateway stands: ``<data>/gateway/address.json``, ``{"url"}``."""
    return settings.storage.data_dir / "gateway" / "address.json"


def announce(settings: GatewaySettings, host: str, port: int) -> None:
    """Write the address, whole or not at all, and log that we are ready."""
    url = url_of(host, port)
    path = address_file(settings)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".address-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": url}, file)
    Path(name).replace(path)
    _log.info("gateway ready", extra={"url": url})


def withdraw(settings: GatewaySettings) -> None:
    """Take the address back; at a start it would be that of an earlier gateway."""
    address_file(settings).unlink(missing_ok=True)
