"""The whole contract at a glance: imports every domain module and hands out the registers."""

from __future__ import annotations

import importlib
import pkgutil

import shared.contract
from shared.contract.base import COMMANDS, EVENTS, OPERATIONS, Command, Event, Operation


def load() -> None:
    """Import every domain module of the contract, in sorted order."""
    names = sorted(module.name for module in pkgutil.iter_modules(shared.contract.__path__))
    for name in names:
        importlib.import_module(f"shared.contract.{name}")


def commands() -> dict[str, type[Command]]:
    """Return every command by its ``type``."""
    load()
    return dict(sorted(COMMANDS.items()))


def events() -> dict[str, type[Event]]:
    """Return every event by its raw-socket ``type``."""
    load()
    return dict(sorted(EVENTS.items()))


def operations() -> dict[str, Operation]:
    """Return every REST operation by its name."""
    load()
    return dict(sorted(OPERATIONS.items()))
