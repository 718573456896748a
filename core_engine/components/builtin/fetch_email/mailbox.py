"""A session with an IMAP server, in a thread of its own: the standard library's client waits for each answer."""

from __future__ import annotations

import asyncio
import base64
import imaplib
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from typing_extensions import override

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
_Found = tuple[list[dict[str, Any]], int]


async def fetch(network: NetworkPolicy, config: FetchEmailConfig, context: Context) -> _Found:
    """Return the messages and how many were found. Raises FloworkError FORBIDDEN, COMPONENT_FAILED, NOT_FOUND."""
    try:
        async with asyncio.timeout(config.timeout_seconds):
            return await _session(network, config, context)
    except TimeoutError:
        raise _failed(config, f"did not finish within {config.timeout_seconds:g} s") from None
    except ssl.SSLError:
        raise _failed(config, "failed: the server's certificate is not trusted") from None
    except (imaplib.IMAP4.error, OSError) as error:
        raise _failed(config, f"failed: {type(error).__name__}") from None


async def _session(network: NetworkPolicy, config: FetchEmailConfig, context: Context) -> _Found:
    tls = trusting(config.ca_certificates) if config.security == "tls" else None
    line = _Line(await dial(network, config.host, config.port), config)
    thread = ThreadPoolExecutor(1, "imap")
    work = asyncio.get_running_loop().run_in_executor(thread, _visit, line, tls, config, context)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        line.cut()
        await asyncio.wait({work}, timeout=_LEAVING_SECONDS)
        if work.done() and not work.cancelled():
            work.exception()  # what the thread says of a connection that was cut
        raise
    finally:
        thread.shutdown(wait=False)


class _Line:
    """A connection that was dialled and judged before; it can be cut from another thread than its reader's."""

    def __init__(self, opened: socket.socket, config: FetchEmailConfig) -> None:
        self.socket = opened
        self._host = config.host
        opened.settimeout(config.timeout_seconds)

    def secure(self, tls: ssl.SSLContext | None) -> None:
        """Put TLS on it, checked for the host's name; without TLS it may not leave this machine."""
        if tls is None:
            require_loopback(self.socket)
        else:
            self.socket = tls.wrap_socket(
                self.socket, server_hostname=self._host, do_handshake_on_connect=False
            )
            self.socket.do_handshake()

    def cut(self) -> None:
        """End whatever waits on it."""
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # not TLS's own: that belongs to the reader


class _Client(imaplib.IMAP4):
    """The library's client over a line, with a bound for what it reads: it keeps all of an answer, asked for or not."""

    def __init__(self, line: _Line, config: FetchEmailConfig) -> None:
        self._line = line
        self._most = self._left = int(config.max_mib * _MIB) + _MIB
        super().__init__(config.host, config.port)
        self._encoding = "utf-8"  # of user name, password and what is searched for

    def _create_socket(self, _timeout: float | None) -> socket.socket:
        return self._line.socket

    @override
    def uid(self, command: str, *args: str) -> tuple[str, list[Any]]:
        """Ask for something of messages; each answer may be as long as the largest message, and no longer."""
        self._left = self._most
        return super().uid(command, *args)

    @override
    def read(self, size: int) -> bytes:
        """Read an announced number of bytes."""
        self._take(size)
        return super().read(size)

    @override
    def readline(self) -> bytes:
        """Read a line."""
        line = super().readline()
        self._take(len(line))
        return line

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort("the server says too much")


def _visit(line: _Line, tls: ssl.SSLContext | None, config: FetchEmailConfig, context: Context) -> _Found:
    try:
        line.secure(tls)
        client = _Client(line, config)
        try:
            return _look(client, config, context)
        finally:
            line.socket.settimeout(_LEAVING_SECONDS)
            with suppress(imaplib.IMAP4.error, OSError):
                client.logout()
    finally:
        line.socket.close()


def _look(client: _Client, config: FetchEmailConfig, context: Context) -> _Found:
    try:
        client.login(_quoted(config.username), config.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise _failed(config, "did not accept the user name and password") from None
    capabilities = bytes(client.capability()[1][0] or b"").upper().split()  # they may change with signing in
    looks_only = config.afterwards == "nothing"
    _require(client.select(_folder(config.mailbox), looks_only), config, f"has no folder {config.mailbox!r}")
    found = _find(client, config)
    messages = [_message(client, config, context, uid) for uid in found[-config.limit :][::-1]]
    complete = [message["uid"] for message in messages if message["complete"]]
    if complete and not looks_only:
        _settle(client, config, ",".join(map(str, complete)), can_move=b"MOVE" in capabilities)
    return messages, len(found)


def _find(client: _Client, config: FetchEmailConfig) -> list[int]:
    criteria = [_SEARCHES[config.search]]
    if config.from_contains:
        criteria += ["FROM", _quoted(config.from_contains)]
    if config.subject_contains:
        criteria += ["SUBJECT", _quoted(config.subject_contains)]
    if config.since_days:
        day = datetime.now(UTC) - timedelta(days=config.since_days)
        criteria += ["SINCE", f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"]
    charset = [] if all(text.isascii() for text in criteria) else ["CHARSET", "UTF-8"]
    lines = _require(client.uid("search", *charset, *criteria), config, "could not search")
    return sorted({int(word) for line in lines if line for word in bytes(line).split() if word.isdigit()})


def _message(client: _Client, config: FetchEmailConfig, context: Context, uid: int) -> dict[str, Any]:
    sized = client.uid("fetch", str(uid), "(RFC822.SIZE)")
    lines = _require(sized, config, "could not tell the size of a message")
    told = (re.search(rb"RFC822\.SIZE (\d+)", line) for line in lines if isinstance(line, bytes))
    size = next((int(hit[1]) for hit in told if hit), 0)
    if size > config.max_mib * _MIB:
        context.log(f"The message {uid} is larger than {config.max_mib:g} MiB; it was left.", "WARN")
        return {"uid": uid, "size_bytes": size, "complete": False, "attachments": []}
    parts = _require(client.uid("fetch", str(uid), "(BODY.PEEK[])"), config, "could not hand on a message")
    content = b"".join(part[1] for part in parts if isinstance(part, tuple))
    read = read_letter(content, uid, config, context)
    return {"uid": uid, "size_bytes": len(content), "complete": True, **read}


def _settle(client: _Client, config: FetchEmailConfig, which: str, *, can_move: bool) -> None:
    if config.afterwards == "mark_read":
        stored = client.uid("store", which, "+FLAGS", r"(\Seen)")
        _require(stored, config, "could not mark messages as read")
    elif not can_move:
        raise _failed(config, "cannot move messages")
    else:
        moved = client.uid("move", which, _folder(config.move_to))
        _require(moved, config, f"could not move messages to {config.move_to!r}")


def _folder(name: str) -> str:
    """Return a folder's name as the protocol spells it (RFC 3501 §5.1.3): UTF-7 with ``&`` and ``,``."""
    pieces = re.split(r"([^\x20-\x7e]+)", name)
    spelled = [
        "&" + base64.b64encode(piece.encode("utf-16-be"), b"+,").rstrip(b"=").decode() + "-"
        if number % 2
        else piece.replace("&", "&-")
        for number, piece in enumerate(pieces)
    ]
    return _quoted("".join(spelled))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _require(answer: tuple[str, list[Any]], config: FetchEmailConfig, what: str) -> list[Any]:
    if answer[0] != "OK":
        raise _failed(config, what)
    return answer[1]


def _failed(config: FetchEmailConfig, what: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{config.host}:{config.port} {what}.")
