"""The options by which a command reaches the gateway and an engine, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

import click

from flowork.client import Client, EngineSession
from flowork.identity.choice import choose_key
from flowork.places import DEFAULT_GATEWAY, DEFAULT_SOCKET, read_engine, read_gateway
from flowork.terminal.session import Terminal
from shared.contract.engine import Engine
from shared.errors import ErrorCode, FloworkError


@dataclass(frozen=True, slots=True)
class GatewayReach:
    """The way to a gateway as an identity."""

    terminal: Terminal
    gateway: str | None
    identity: str | None

    @property
    def url(self) -> str:
        """The gateway's address: the option, GATEWAY_URL, this machine's own, or the default."""
        places = self.terminal.settings.places
        local = read_gateway(places.data_dir)
        return self.gateway or places.gateway_url or (local.url if local else DEFAULT_GATEWAY)

    def client(self, url: str | None = None) -> Client:
        """Return a client that signs as the chosen identity."""
        key = choose_key(self.terminal.settings.identities, self.identity, self.terminal.ask_secret)
        return Client(url or self.url, key)


@dataclass(frozen=True, slots=True)
class EngineReach:
    """The way to an engine: through the gateway that knows it, then its own socket."""

    through: GatewayReach
    engine: str | None
    socket: str | None

    @contextmanager
    def session(self, *, timeout_seconds: float | None = None) -> Iterator[EngineSession]:
        """Return a connected session; with both an engine's id and a socket no gateway is needed.

        ``timeout_seconds`` is how long one answer may take, where it is not the usual.
        """
        places = self.through.terminal.settings.places
        local = read_engine(places.data_dir)
        socket = self.socket or places.engine_socket or (local.socket if local else DEFAULT_SOCKET)
        with self.through.client() as client:
            known = bool(self.engine and self.socket)
            engine_id = str(self.engine) if known else pick_engine(client.engines(), self.engine)
            with client.engine(socket, engine_id, timeout_seconds=timeout_seconds) as session:
                yield session


def pick_engine(engines: list[Engine], wanted: str | None) -> str:
    """Return the id of the engine of that id or name, or of the only one, or of the only one online."""
    if wanted:
        found = [item for item in engines if wanted in (item.id, item.name)]
    else:
        online = [item for item in engines if item.status == "online"]
        found = online if len(online) == 1 else engines
    if len(found) == 1:
        return found[0].id
    if not found:
        missing = f"You have no engine {wanted!r}" if wanted else "You have no engine yet"
        raise FloworkError(
            ErrorCode.NOT_FOUND,
            f"{missing}; `flowork engines list` shows yours, a claim link or "
            "`flowork engines register NAME` gives you one.",
        )
    names = ", ".join(f"{item.name} ({item.id})" for item in found)
    raise FloworkError(ErrorCode.INVALID_REQUEST, f"Which engine? Name one with --engine: {names}.")


def gateway_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``--gateway`` and ``--identity``; it is called with a `GatewayReach` as ``reach``."""

    def reached(terminal: Terminal, /, gateway: str | None, identity: str | None, **others: Any) -> Any:
        return command(reach=GatewayReach(terminal, gateway, identity), **others)

    update_wrapper(reached, command)
    named = click.option("--identity", metavar="NAME", help="Identity that signs (FLOWORK_IDENTITY).")
    addressed = click.option("--gateway", metavar="URL", help="Address of the gateway (GATEWAY_URL).")
    return addressed(named(click.pass_obj(reached)))


def engine_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the gateway's options, ``--engine`` and ``--socket``; ``reach`` is an `EngineReach`."""

    def reached(reach: GatewayReach, engine: str | None, socket: str | None, **others: Any) -> Any:
        return command(reach=EngineReach(reach, engine, socket), **others)

    update_wrapper(reached, command)
    chosen = click.option("--engine", metavar="ID|NAME", help="Engine; not needed when you have only one.")
    direct = click.option("--socket", metavar="URL", help="Its raw WebSocket (FLOWORK_ENGINE_SOCKET).")
    return chosen(direct(gateway_options(reached)))
