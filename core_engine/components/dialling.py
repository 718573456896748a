"""How a server that is not asked by HTTP is reached: at an address judged once, with TLS checked for its name."""

from __future__ import annotations

import asyncio
import socket
import ssl
from ipaddress import ip_address
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

Host = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=253, pattern=r"^[^\s/@\x00-\x1f\x7f]+$")
]  # fmt: skip
"""A host name or an address, without a port."""

Port = Annotated[int, Field(ge=1, le=65_535)]

Security = Literal["tls", "starttls", "none"]
"""tls: encrypted from the first byte. starttls: encrypted after a greeting. none: in the open."""

CaCertificates = Annotated[
    str, Field(
        max_length=100_000, title="Own authority (PEM)",
        description="Certificates of the authority that signed the server's, as PEM text; empty trusts the system's.",
        json_schema_extra=form(widget="textarea", rows=4, placeholder="-----BEGIN CERTIFICATE-----"),
    ),
]  # fmt: skip


async def dial(network: NetworkPolicy, host: str, port: int) -> socket.socket:
    """Return a connected socket that does not block, to be closed by the caller.

    The name is resolved once, and each of its addresses is judged before it is dialled: one that is refused ends
    the attempt. Raises FloworkError FORBIDDEN or COMPONENT_FAILED. Has no deadline of its own.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"The host {host!r} cannot be found.") from error
    failure = "it has no address"
    for info in found:
        opened = network.open_socket(info)
        opened.setblocking(False)
        try:
            await loop.sock_connect(opened, info[4])
        except OSError as error:
            opened.close()
            failure = error.strerror or type(error).__name__
        except BaseException:
            opened.close()
            raise
        else:
            return opened
    raise FloworkError(ErrorCode.COMPONENT_FAILED, f"{host}:{port} cannot be reached: {failure}.")


def resolve(network: NetworkPolicy, host: str, port: int) -> str:
    """Return the address to dial for a host; blocks. Raises FloworkError FORBIDDEN or COMPONENT_FAILED.

    All addresses of the name must be allowed, so that no second one is reached when the first does not answer.
    """
    if not host or any(ord(sign) <= 32 or sign in "/\\,@" for sign in host):
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{host!r} is not the name of a host.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"The host {host!r} was not found: {error}.") from None
    addresses = [str(item[4][0]) for item in found]
    for address in addresses:
        if not network.allows(address):
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                f"{address} is not a public address; the engine's owner can allow its network"
                " with ENGINE_HTTP_PRIVATE_NETWORKS.",
            )
    return addresses[0]


def require_loopback(connected: socket.socket) -> None:
    """Refuse a connection that leaves this machine; raises FloworkError FORBIDDEN. For what is not encrypted."""
    address = str(connected.getpeername()[0]).partition("%")[0]
    if not ip_address(address).is_loopback:
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            "Without TLS only a server on this machine may be asked; choose tls or starttls.",
        )


def trusting(ca_certificates: str) -> ssl.SSLContext:
    """Return a context that checks the server's certificate and name; raises FloworkError INVALID_REQUEST."""
    try:
        return ssl.create_default_context(cadata=ca_certificates.strip() or None)
    except (ssl.SSLError, ValueError) as error:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The authority's certificates are not PEM text."
        ) from error
