"""What a service is to its supervisor: a module, an environment, and the file in which it says where it listens."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn

from flowork.places import Address, engine_file, gateway_file, read_engine, read_gateway

GRACE_SECONDS = "2"  # less than the engine's own default: Ctrl-C in a terminal should not take long
CHECKOUT = Path(__file__).resolve().parents[2]
OWN_SECRETS = frozenset({"FLOWORK_PRIVATE_KEY", "FLOWORK_PASSPHRASE"})


@dataclass(frozen=True)
class Service:
    """One service and how to start it."""

    name: Literal["gateway", "engine"]
    module: str
    environment: Mapping[str, str]
    address_file: Path
    read_address: Callable[[], Address | None]
    health_path: str


def gateway_service(environ: Mapping[str, str], data_dir: Path, given: Mapping[str, str]) -> Service:
    """Describe a gateway with this data folder; ``given`` settings win over the environment's."""
    return Service(
        "gateway",
        "gateway",
        {**inherited(environ), "FLOWORK_DATA_DIR": str(data_dir), **given},
        gateway_file(data_dir),
        partial(read_gateway, data_dir),
        "/api/v1/system/health",
    )


def engine_service(environ: Mapping[str, str], data_dir: Path, given: Mapping[str, str]) -> Service:
    """Describe an engine with this data folder; ``given`` settings win over the environment's."""
    return Service(
        "engine",
        "core_engine",
        {
            "ENGINE_SHUTDOWN_GRACE_SECONDS": GRACE_SECONDS,
            "ENGINE_GATEWAY_ACCESS": "write",  # the gateway beside it belongs to the same person
            **inherited(environ),
            "FLOWORK_DATA_DIR": str(data_dir),
            **given,
        },
        engine_file(data_dir),
        partial(read_engine, data_dir),
        "/health",
    )


def become(module: str, environ: Mapping[str, str]) -> NoReturn:
    """Turn this process into a service with this environment."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-P", "-m", module], inherited(environ))  # noqa: S606


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a service inherits: everything but the user's own signing secrets."""
    kept = {name: value for name, value in environ.items() if name not in OWN_SECRETS}
    if (CHECKOUT / "pyproject.toml").is_file():  # run from a checkout that need not be installed
        kept["PYTHONPATH"] = str(CHECKOUT)
    return kept
