"""One command to a Redis server at an address that may be dialled, with every wait bounded."""

from __future__ import annotations

import base64
import ssl
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import RedisError
from redis.retry import Retry
from typing_extensions import override

from core_engine.components.dialling import resolve
from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

_PORT = 6379
_LARGEST_REPLY = 16 * 1024 * 1024


class NamedTls(SSLConnection):
    """Dials an address and checks the certificate for the name it was found under."""

    def __init__(self, *, server_name: str, **settings: Any) -> None:
        super().__init__(**settings)
        self._server_name = server_name

    @override
    def _wrap_socket_with_ssl(self, sock: Any) -> Any:
        address, self.host = self.host, self._server_name
        try:
            return super()._wrap_socket_with_ssl(sock)  # type: ignore[no-untyped-call]
        finally:
            self.host = address


def ask(url: str, words: list[str], network: NetworkPolicy, seconds: float) -> Any:
    """Send one command and return its reply as JSON. Blocks.

    Raises FloworkError: INVALID_REQUEST, FORBIDDEN, TOO_LARGE, COMPONENT_FAILED.
    """
    connection = _connection(url, network, seconds)
    cut = threading.Timer(
        seconds, lambda: _cut_off(connection)
    )  # a server that drips keeps each single wait short
    cut.daemon = True
    cut.start()
    try:
        connection.connect()
        connection.send_command(*words)
        reply = _to_json(connection.read_response())
    except RedisError as error:
        raise FloworkError(
            ErrorCode.COMPONENT_FAILED, f"Redis: {' '.join(str(error).split())[:500]}"
        ) from None
    except (OSError, ValueError, AttributeError):  # what a connection says that was cut off under it
        raise FloworkError(
            ErrorCode.COMPONENT_FAILED, f"Redis did not answer within {seconds:g} s."
        ) from None
    finally:
        cut.cancel()
        with suppress(OSError, RedisError):
            connection.disconnect()
    return reply


def _connection(text: str, network: NetworkPolicy, seconds: float) -> Any:
    try:
        url = urlsplit(text.strip())
        port = url.port or _PORT
        database = int(url.path.strip("/") or 0)
    except ValueError:
        raise _invalid() from None
    if url.scheme not in {"redis", "rediss"} or not url.hostname or url.query or url.fragment or database < 0:
        raise _invalid()
    settings: dict[str, Any] = {
        "host": resolve(network, url.hostname, port),
        "port": port,
        "db": database,
        "username": unquote(url.username) if url.username else None,
        "password": unquote(url.password) if url.password else None,
        "socket_timeout": seconds,
        "socket_connect_timeout": seconds,
        "protocol": 2,  # the newer one lets a server send the client to other addresses
        "retry": Retry(NoBackoff(), 0),
        "client_name": "flowork",
    }
    if url.scheme == "redis":
        return Connection(**settings)  # type: ignore[no-untyped-call]
    return NamedTls(
        server_name=url.hostname, ssl_cert_reqs="required", ssl_check_hostname=True,
        ssl_min_version=ssl.TLSVersion.TLSv1_2, **settings,
    )  # fmt: skip


def _invalid() -> FloworkError:
    return FloworkError(
        ErrorCode.INVALID_REQUEST,
        "A Redis address is redis://user:password@host:port/number, or rediss:// for TLS, with nothing after it.",
    )


def _cut_off(connection: Any) -> None:
    with suppress(OSError, RedisError, AttributeError):
        connection.disconnect()  # shuts the socket down, which wakes whoever waits for it


def _to_json(reply: Any) -> Any:
    size = 0

    def convert(value: Any) -> Any:
        nonlocal size
        if isinstance(value, RedisError):
            raise value
        if isinstance(value, list):
            return [convert(item) for item in value]
        if isinstance(value, bytes):
            size += len(value)
            if size > _LARGEST_REPLY:
                raise FloworkError(ErrorCode.TOO_LARGE, "The reply of Redis is larger than 16 MiB.")
            return _text(value)
        return value if value is None or isinstance(value, int | float | str) else str(value)

    return convert(reply)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
