"""A session with an SSH server: who it is, signing in, and one action on its files."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import asyncssh
from typing_extensions import override

from core_engine.components.builtin.sftp.actions import act
from core_engine.components.builtin.sftp.component import SftpConfig
from core_engine.components.builtin.sftp.hostkeys import KnownKeys, parse_host_key
from core_engine.components.dialling import dial
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError


async def work(network: NetworkPolicy, config: SftpConfig, context: Context) -> dict[str, Any]:
    """Connect, act, and return what was done.

    Raises FloworkError FORBIDDEN, INVALID_REQUEST, NOT_FOUND, CONFLICT, TOO_LARGE, COMPONENT_FAILED.
    """
    try:
        async with (
            asyncio.timeout(config.timeout_seconds),
            _connected(network, config, context) as (ssh, shown),
        ):
            async with ssh.start_sftp_client() as client:
                done = await act(client, config, context)
            return {**done, "host_key": shown}
    except TimeoutError:
        raise _failed(config, f"did not finish within {config.timeout_seconds:g} s") from None
    except asyncssh.HostKeyNotVerifiable:
        raise FloworkError(
            ErrorCode.FORBIDDEN,
            f"{config.host} shows another host key than expected: it may not be the right server.",
        ) from None
    except asyncssh.PermissionDenied:
        raise _failed(config, "did not accept the user name and password or key") from None
    except asyncssh.SFTPNoSuchFile:
        raise FloworkError(
            ErrorCode.NOT_FOUND, f"There is no {config.remote_path!r} on {config.host}."
        ) from None
    except asyncssh.SFTPFileAlreadyExists:
        raise FloworkError(
            ErrorCode.CONFLICT, f"There is a {config.remote_path!r} on {config.host} already."
        ) from None
    except (asyncssh.Error, OSError) as error:
        raise _failed(config, f"failed: {getattr(error, 'reason', '') or error}"[:400]) from error


@contextlib.asynccontextmanager
async def _connected(
    network: NetworkPolicy, config: SftpConfig, context: Context
) -> AsyncIterator[tuple[asyncssh.SSHClientConnection, str]]:
    """Give a connection that is signed in, and the fingerprint of the server's key."""
    keys = await asyncio.to_thread(_known, config, context)
    options = _options(config, keys)
    opened = await dial(network, config.host, config.port)
    try:
        ssh = await _connect(opened, config, options)
    finally:
        if options.get("taken") is None:
            opened.close()
    try:
        key = ssh.get_server_host_key()
        if key is None:
            raise _failed(config, "showed no host key")
        if config.host_key_check == "first_use":
            await asyncio.to_thread(keys.note, key)
        yield ssh, key.get_fingerprint("sha256")
    finally:
        ssh.abort()
        await ssh.wait_closed()


def _known(config: SftpConfig, context: Context) -> KnownKeys:
    if config.host_key_check == "given":
        return KnownKeys.of(parse_host_key(config.host_key))
    return KnownKeys.read(
        context.files, config.host_keys_file, config.host, config.port, context.idempotency_key
    )


def _options(config: SftpConfig, keys: KnownKeys) -> dict[str, Any]:
    class _Client(asyncssh.SSHClient):
        @override
        def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
            return keys.accepts(key)

    client_keys: list[asyncssh.SSHKey] | None = None
    if config.private_key:
        try:
            client_keys = [asyncssh.import_private_key(config.private_key, config.passphrase or None)]
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, ValueError):
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, "The private key cannot be read, or its passphrase is wrong."
            ) from None
    return {
        "client_factory": _Client, "known_hosts": (keys.exact, [], []), "client_keys": client_keys,
    }  # fmt: skip


async def _connect(
    opened: socket.socket, config: SftpConfig, options: dict[str, Any]
) -> asyncssh.SSHClientConnection:
    ssh = await asyncssh.connect(
        config.host, config.port, sock=opened, config=None, agent_path=None, x509_trusted_certs=None,
        username=config.username, password=config.password or None, gss_host=None, gss_auth=False, gss_kex=False,
        login_timeout=config.timeout_seconds, connect_timeout=config.timeout_seconds, **options,
    )  # fmt: skip
    options["taken"] = True  # the socket is the connection's from here on
    return ssh


def _failed(config: SftpConfig, what: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{config.host}:{config.port} {what}.")
