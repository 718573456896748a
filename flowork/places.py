"""Where the services of this machine listen: they say so in files of the data folder."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DEFAULT_GATEWAY = "http://127.0.0.1:8000"
DEFAULT_SOCKET = "ws://127.0.0.1:8765"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens: ``url`` is its HTTP origin, ``socket`` the engine's raw WebSocket."""

    url: str
    socket: str = ""


def gateway_file(data_dir: Path) -> Path:
    """Return the file in which the gateway says where it listens."""
    return data_dir / "gateway" / "address.json"


def engine_file(data_dir: Path) -> Path:
    """Return the file in which the engine says where it listens."""
    return data_dir / "engine" / "address.json"


def read_gateway(data_dir: Path) -> Address | None:
    """Return where the gateway listens, or None as long as it has not said so."""
    told = _read(gateway_file(data_dir), "url")
    return Address(told["url"]) if told else None


def read_engine(data_dir: Path) -> Address | None:
    """Return where the engine listens, or None as long as it has not said so."""
    told = _read(engine_file(data_dir), "http", "socket")
    return Address(told["http"], told["socket"]) if told else None


def _read(file: Path, *wanted: str) -> dict[str, str] | None:
    try:
        told = json.loads(file.read_text("utf-8"))
        return {name: str(told[name]) for name in wanted}
    except (OSError, ValueError, KeyError, TypeError):
        return None
