"""The child's end of its way out (see `egress`): ordinary network code works, though there is no network.

This is for comfort, not a wall: the system call filter forbids real sockets, and the engine judges every host. TCP
connections only; names are not resolved here, so each gets an address of its own (240.x.y.z) that leads back to it.
"""

from __future__ import annotations

import errno
import json
import os
import socket
from ipaddress import IPv4Address, IPv4Network
from typing import Any

_MADE_UP = IPv4Network("240.0.0.0/8")
_MOST_NAMES = 10_000
_ANSWER_BYTES = 4096
_KIND = 0xF
_LEVELS_OF_TCP = frozenset({socket.IPPROTO_TCP, socket.IPPROTO_IP})

_make_plain = socket.socket.__init__
_plain_connect = socket.socket.connect
_plain_peer = socket.socket.getpeername
_plain_option = socket.socket.setsockopt


class Door:
    """Asks the engine for connections, and knows the made-up addresses and where each socket leads."""

    def __init__(self, descriptor: int) -> None:
        self._asking = socket.socket(fileno=descriptor)
        self._names: list[str] = []
        self._peers: dict[int, tuple[str, int] | None] = {}

    def address_of(self, host: str) -> str:
        """Return the address by which a name is dialled: itself, where it is one."""
        try:
            return str(IPv4Address(host))
        except ValueError:
            pass
        if host not in self._names:
            if len(self._names) >= _MOST_NAMES:
                raise socket.gaierror(socket.EAI_MEMORY, "too many names")
            self._names.append(host)
        return str(_MADE_UP[self._names.index(host) + 1])

    def make(self) -> int:
        """Return the descriptor of a socket that leads nowhere yet."""
        one, other = socket.socketpair()
        other.close()
        descriptor = one.detach()
        self._peers[descriptor] = None
        return descriptor

    def is_ours(self, made: socket.socket) -> bool:
        """Tell whether a socket was made by `make`."""
        return made.family == socket.AF_INET and made.fileno() in self._peers

    def connect(self, made: socket.socket, address: Any) -> None:
        """Let a socket lead to a host; raises OSError with the engine's reason."""
        host, port = str(address[0]), int(address[1])
        name = self._name_of(host)
        self._asking.sendall(json.dumps({"host": name, "port": port}).encode())
        answer, descriptors, _, _ = socket.recv_fds(self._asking, _ANSWER_BYTES, 1)
        reason = json.loads(answer).get("error") if answer else "The engine has gone."
        if reason or not descriptors:
            raise PermissionError(errno.EACCES, reason or "no connection", f"{name}:{port}")
        blocking = made.gettimeout()
        os.dup2(descriptors[0], made.fileno(), inheritable=False)
        os.close(descriptors[0])
        made.settimeout(blocking)
        self._peers[made.fileno()] = (host, port)

    def peer_of(self, made: socket.socket) -> tuple[str, int]:
        """Return where a socket leads; raises OSError where it leads nowhere."""
        peer = self._peers.get(made.fileno())
        if peer is None:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return peer

    def _name_of(self, host: str) -> str:
        try:
            number = int(IPv4Address(host)) - int(_MADE_UP.network_address) - 1
        except ValueError:
            return host.encode("idna").decode() if not host.isascii() else host
        return self._names[number] if 0 <= number < len(self._names) else host


def install(descriptor: int) -> None:
    """Have this process's network code go through the door with that descriptor."""
    import asyncio  # noqa: PLC0415 - only in children with a door, and before the process is locked

    door = Door(descriptor)

    def look_up(host: Any, port: Any, family: int = 0, kind: int = 0, *_: int, **more: int) -> list[Any]:
        if family not in {0, socket.AF_INET} or more.get("type", kind) & _KIND not in {0, socket.SOCK_STREAM}:
            raise socket.gaierror(socket.EAI_NONAME, "only TCP over IPv4 is to be had here")
        name = host.decode() if isinstance(host, bytes) else host or "127.0.0.1"
        place = (door.address_of(name), _port(port))
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)]

    async def look_up_later(_loop: Any, host: Any, port: Any, **options: Any) -> list[Any]:
        return look_up(host, port, **options)

    socket.getaddrinfo = look_up  # type: ignore[assignment]
    socket.gethostbyname = door.address_of
    asyncio.BaseEventLoop.getaddrinfo = look_up_later  # type: ignore[method-assign, assignment]
    _replace_methods(door)


def _replace_methods(door: Door) -> None:
    def make(self: Any, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:  # noqa: A002 - the library's shape
        kind = socket.SOCK_STREAM if type == -1 else type
        if fileno is None and family in {-1, socket.AF_INET} and kind & _KIND == socket.SOCK_STREAM:
            _make_plain(self, socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, door.make())
            if kind & socket.SOCK_NONBLOCK:
                self.setblocking(False)
        else:
            _make_plain(self, family, type, proto, fileno)

    def connect(self: Any, address: Any) -> None:
        (door.connect if door.is_ours(self) else _plain_connect)(self, address)

    def connect_and_tell(self: Any, address: Any) -> int:
        try:
            connect(self, address)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def peer(self: Any) -> Any:
        return door.peer_of(self) if door.is_ours(self) else _plain_peer(self)

    def option(self: Any, level: int, *rest: Any) -> None:
        if not (door.is_ours(self) and level in _LEVELS_OF_TCP):
            _plain_option(self, level, *rest)

    kind: Any = socket.socket
    kind.__init__, kind.connect, kind.connect_ex, kind.getpeername = make, connect, connect_and_tell, peer
    kind.setsockopt = option


def _port(port: Any) -> int:
    text = port.decode() if isinstance(port, bytes) else port
    if text is None:
        return 0
    return {"http": 80, "https": 443}.get(text) or int(text)
