"""Says where the engine listens, in a file that clients on this machine and supervisors read."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound


def reachable(host: str, port: int) -> str:
    """Return ``host:port`` under which this machine reaches a listening server."""
    host = _EVERYWHERE.get(host, host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where one running engine is; ``socket`` and ``http`` are URLs without a path."""

    socket: str
    http: str
    engine_id: str
    pid: int


class AddressFile:
    """``<data>/engine/address.json``; it is there only while the engine listens."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "address.json"

    def write(self, address: Address) -> None:
        """Put the file there whole, or not at all."""
        draft = self._path.with_suffix(f".{address.pid}.tmp")
        draft.write_text(json.dumps(asdict(address)))
        draft.replace(self._path)

    def remove(self) -> None:
        """Take the file away; before a start it would be that of an engine that died."""
        self._path.unlink(missing_ok=True)

    def withdraw(self, pid: int) -> None:
        """Take the file away if it is still that of this process, not that of an engine that took the data over."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            if json.loads(self._path.read_bytes())["pid"] == pid:
                self.remove()
