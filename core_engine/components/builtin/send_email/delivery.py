"""Making a message and handing it to a mail server."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, getaddresses
from typing import Any

import aiosmtplib

from core_engine.components.builtin.send_email.component import SendEmailConfig, recipients
from core_engine.components.dialling import dial, require_loopback, trusting
from core_engine.components.files import open_regular
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.context import Context, Files
from shared.errors import ErrorCode, FloworkError

_MIB = 1024 * 1024


async def deliver(network: NetworkPolicy, config: SendEmailConfig, context: Context) -> dict[str, Any]:
    """Send a message and return the receipt. Raises FloworkError FORBIDDEN, TOO_LARGE, COMPONENT_FAILED."""
    try:
        message = await asyncio.to_thread(make_message, config, context.files, context.idempotency_key)
        content = message.as_bytes(policy=WIRE.clone(max_line_length=998))
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The message cannot be written: {error}.") from error
    sender = getaddresses([config.sender])[0][1]
    try:
        async with asyncio.timeout(config.timeout_seconds):
            refused = await _send(network, config, sender, content)
    except TimeoutError:
        raise _failed(config, f"did not answer within {config.timeout_seconds:g} s") from None
    except aiosmtplib.SMTPAuthenticationError as error:
        raise _failed(config, f"did not accept the user name and password (code {error.code})") from None
    except aiosmtplib.SMTPRecipientsRefused as error:
        why = {f"{one.recipient}: {one.code}" for one in error.recipients}
        raise _failed(config, f"refused every recipient ({', '.join(sorted(why))})") from None
    except aiosmtplib.SMTPResponseException as error:
        raise _failed(config, f"refused the message: {error.code} {str(error.message)[:300]}") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _failed(config, f"failed: {_reason(error)}") from error
    accepted = [address for address in recipients(config) if address not in refused]
    return {
        "message_id": str(message["Message-ID"]), "accepted": accepted, "refused": sorted(refused),
        "size_bytes": len(content),
    }  # fmt: skip


def make_message(config: SendEmailConfig, files: Files, key: str) -> EmailMessage:
    """Return the message; its id is made from the step's key. Raises FloworkError or ValueError."""
    message = EmailMessage()
    domain = getaddresses([config.sender])[0][1].rpartition("@")[2]
    headers = {
        "From": config.sender, "To": config.to, "Cc": config.cc, "Reply-To": config.reply_to, "Subject": config.subject,
    }  # fmt: skip
    for name, value in headers.items():
        if value:
            message[name] = value
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"
    if config.text or not config.html:
        message.set_content(config.text)
        if config.html:
            message.add_alternative(config.html, subtype="html")
    else:
        message.set_content(config.html, subtype="html")
    left = int(config.max_mib * _MIB)
    for given in config.attachments:
        path = files.readable(given)
        with open_regular(path) as file:
            content = file.read(left + 1)
        left -= len(content)
        if left < 0:
            raise FloworkError(
                ErrorCode.TOO_LARGE, f"The attachments are larger than {config.max_mib:g} MiB."
            )
        kind, packed = mimetypes.guess_type(path.name)
        main, _, sub = (kind if kind and not packed else "application/octet-stream").partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=path.name)
    return message


async def _send(network: NetworkPolicy, config: SendEmailConfig, sender: str, content: bytes) -> set[str]:
    """Return the recipients that were refused."""
    tls = trusting(config.ca_certificates) if config.security != "none" else None
    connected = await dial(network, config.host, config.port)
    try:
        if tls is None:
            require_loopback(connected)
        client = aiosmtplib.SMTP(
            hostname=config.host, port=None, sock=connected, timeout=config.timeout_seconds, tls_context=tls,
            use_tls=config.security == "tls", start_tls=config.security == "starttls",
        )  # fmt: skip
        await _connect(client)
    except BaseException:
        connected.close()
        raise
    try:
        if config.username:
            await client.login(config.username, config.password)
        answers, _ = await client.sendmail(sender, recipients(config), content)
        with suppress(aiosmtplib.SMTPException, OSError):  # the message is taken already
            await client.quit()
    finally:
        client.close()
    return set(answers)


async def _connect(client: aiosmtplib.SMTP) -> None:
    try:
        await client.connect()
    except BaseException:
        if client.transport is not None:
            client.transport.abort()  # type: ignore[attr-defined] # every transport of a socket has it
        raise


def _reason(error: Exception) -> str:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "the server's certificate is not trusted"
    return text[:300] or type(error).__name__


def _failed(config: SendEmailConfig, what: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{config.host}:{config.port} {what}.")
