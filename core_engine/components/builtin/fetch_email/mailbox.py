"""A session with an IMAP server."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import aioimaplib

from core_engine.components.builtin.fetch_email.component import FetchEmailConfig
from core_engine.components.builtin.fetch_email.letter import read_letter
from core_engine.components.dialling import dial, require_loopback, trusting
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Context
from shared.errors import ErrorCode, FloworkError

_MIB = 1024 * 1024
_LEAVING_SECONDS = 5.0
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SEARCHES = {"unread": "UNSEEN", "all": "ALL", "flagged": "FLAGGED"}


class _Client(aioimaplib.IMAP4):  # type: ignore[misc] # the library has no types
    """The library's client over a connection that was dialled and judged before."""

    def __init__(
        self, opened: socket.socket, config: FetchEmailConfig, context: ssl.SSLContext | None
    ) -> None:
        self._opened = opened
        super().__init__(config.host, config.port, timeout=config.timeout_seconds, ssl_context=context)

    def create_client(
        self,
        host: str,
        port: int,
        loop: Any,
        conn_lost_cb: Any = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Take the connection; TLS is checked for the host's name."""
        del port, loop
        running = asyncio.get_running_loop()
        self.protocol = aioimaplib.IMAP4ClientProtocol(running, conn_lost_cb)
        self._client_task = running.create_task(
            running.create_connection(
                lambda: self.protocol,
                sock=self._opened,
                ssl=ssl_context,
                server_hostname=host if ssl_context else None,
            ),
            name="imap-connect",
        )

    def abandon(self) -> None:
        """Close a connection that did not come to be."""
        self._client_task.cancel()
        transport = getattr(self.protocol, "transport", None)
        if transport is not None:
            transport.abort()
        else:
            self._opened.close()

    async def leave(self) -> None:
        """Say good-bye when the server listens, and close in any case."""
        with suppress(TimeoutError, OSError, aioimaplib.AioImapException):
            async with asyncio.timeout(_LEAVING_SECONDS):
                await self.logout()
        transport = getattr(self.protocol, "transport", None)
        if transport is not None:
            transport.close()


async def fetch(
    network: NetworkPolicy, config: FetchEmailConfig, context: Context
) -> tuple[list[dict[str, Any]], int]:
    """Return the messages and how many were found. Raises FloworkError FORBIDDEN, COMPONENT_FAILED, NOT_FOUND."""
    logging.getLogger("aioimaplib").setLevel(logging.WARNING)  # its debug lines hold whole messages
    try:
        async with asyncio.timeout(config.timeout_seconds):
            return await _session(network, config, context)
    except TimeoutError:
        raise _failed(config, f"did not finish within {config.timeout_seconds:g} s") from None
    except ssl.SSLError:
        raise _failed(config, "failed: the server's certificate is not trusted") from None
    except (aioimaplib.AioImapException, OSError) as error:
        raise _failed(config, f"failed: {type(error).__name__}") from None


async def _session(
    network: NetworkPolicy, config: FetchEmailConfig, context: Context
) -> tuple[list[dict[str, Any]], int]:
    tls = trusting(config.ca_certificates) if config.security == "tls" else None
    opened = await dial(network, config.host, config.port)
    try:
        if tls is None:
            require_loopback(opened)
    except BaseException:
        opened.close()
        raise
    client = _Client(opened, config, tls)
    try:
        await client.wait_hello_from_server()
    except BaseException:
        client.abandon()
        raise
    try:
        answer = await client.login(_quoted(config.username), config.password)
        if answer.result != "OK":
            raise _failed(config, "did not accept the user name and password")
        _require(await client.select(_quoted(config.mailbox)), config, f"has no folder {config.mailbox!r}")
        found = await _find(client, config)
        wanted = found[-config.limit :][::-1]
        messages = [await _message(client, config, context, uid) for uid in wanted]
        await _settle(client, config, [message["uid"] for message in messages if message["complete"]])
    finally:
        await client.leave()
    return messages, len(found)


async def _find(client: _Client, config: FetchEmailConfig) -> list[int]:
    criteria = [_SEARCHES[config.search]]
    if config.from_contains:
        criteria += ["FROM", _quoted(config.from_contains)]
    if config.subject_contains:
        criteria += ["SUBJECT", _quoted(config.subject_contains)]
    if config.since_days:
        day = datetime.now(UTC) - timedelta(days=config.since_days)
        criteria += ["SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"]
    plain = all(text.isascii() for text in criteria)
    answer = await client.uid_search(*criteria, charset=None if plain else "utf-8")
    _require(answer, config, "could not search")
    return sorted({int(word) for word in bytes(answer.lines[0]).split() if word.isdigit()})


async def _message(client: _Client, config: FetchEmailConfig, context: Context, uid: int) -> dict[str, Any]:
    sized = await client.uid("fetch", str(uid), "(RFC822.SIZE)")
    _require(sized, config, "could not tell the size of a message")
    size = next((int(hit[1]) for line in sized.lines if (hit := re.search(rb"RFC822\.SIZE (\d+)", line))), 0)
    if size > config.max_mib * _MIB:
        context.log(f"The message {uid} is larger than {config.max_mib:g} MiB; it was left.", "WARN")
        return {"uid": uid, "size_bytes": size, "complete": False, "attachments": []}
    answer = await client.uid("fetch", str(uid), "(BODY.PEEK[])")
    _require(answer, config, "could not hand on a message")
    content = b"".join(bytes(line) for line in answer.lines if isinstance(line, bytearray))
    read = await asyncio.to_thread(read_letter, content, uid, config, context)
    return {"uid": uid, "size_bytes": len(content), "complete": True, **read}


async def _settle(client: _Client, config: FetchEmailConfig, uids: list[int]) -> None:
    if not uids or config.afterwards == "nothing":
        return
    which = ",".join(map(str, uids))
    if config.afterwards == "mark_read":
        _require(
            await client.uid("store", which, "+FLAGS", r"(\Seen)"), config, "could not mark messages as read"
        )
    elif not client.has_capability("MOVE"):
        raise _failed(config, "cannot move messages")
    else:
        moved = await client.uid("move", which, _quoted(config.move_to))
        _require(moved, config, f"could not move messages to {config.move_to!r}")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _require(answer: Any, config: FetchEmailConfig, what: str) -> None:
    if answer.result != "OK":
        raise _failed(config, what)


def _failed(config: FetchEmailConfig, what: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{config.host}:{config.port} {what}.")
