"""Reads a message of others: its headers and texts as plain data, its attachments into files."""

from __future__ import annotations

import email
import email.errors
import email.header
import email.policy
import re
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any, cast

from core_engine.components.builtin.fetch_email.component import FetchEmailConfig
from core_engine.components.drafts import Draft
from core_engine.kernel.context import Context

_MOST_PARTS = 200
_ODD = re.compile(r"[^\w.() -]+")


def read_letter(content: bytes, uid: int, config: FetchEmailConfig, context: Context) -> dict[str, Any]:
    """Return a message as data; blocks for the disk when attachments are saved. Raises FloworkError FORBIDDEN."""
    message = cast("EmailMessage", email.message_from_bytes(content, policy=email.policy.compat32))
    texts: dict[str, list[str]] = {"plain": [], "html": []}
    attachments: list[dict[str, Any]] = []
    for number, part in enumerate(message.walk()):
        if number >= _MOST_PARTS:
            break
        if part.is_multipart():
            continue
        name = _decoded(part.get_filename() or "")
        if part.get_content_maintype() == "text" and not name and part.get_content_subtype() in texts:
            texts[part.get_content_subtype()].append(_text(part))
        else:
            attachments.append(_attachment(part, name or f"part-{number}", (uid, number), config, context))
    header = {
        name: _decoded(str(message.get(name, ""))) for name in ("Message-ID", "From", "To", "Cc", "Subject")
    }  # fmt: skip
    return {
        "message_id": header["Message-ID"], "from": header["From"], "to": header["To"], "cc": header["Cc"],
        "subject": header["Subject"], "date": _moment(str(message.get("Date", ""))),
        "text": "\n".join(texts["plain"]), "html": "\n".join(texts["html"]), "attachments": attachments,
    }  # fmt: skip


def _attachment(
    part: Any, name: str, place: tuple[int, int], config: FetchEmailConfig, context: Context
) -> dict[str, Any]:
    content = part.get_payload(decode=True) or b""
    told = {"name": name, "content_type": part.get_content_type(), "size_bytes": len(content)}
    if not config.save_attachments:
        return told
    uid, number = place
    safe = _ODD.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")[-100:] or "attachment"
    path = context.files.writable(f"{config.attachments_folder.rstrip('/')}/{uid}-{number}-{safe}")
    with Draft(path, context.idempotency_key) as draft:
        draft.write(content)
        draft.commit(overwrite=True)
    return {**told, "path": str(path), "sha256": draft.sha256}


def _text(part: Any) -> str:
    content = part.get_payload(decode=True) or b""
    try:
        return str(content.decode(part.get_content_charset() or "utf-8", "replace"))
    except LookupError:
        return str(content.decode("utf-8", "replace"))


def _decoded(text: str) -> str:
    try:
        pieces = email.header.decode_header(" ".join(text.split()))
        return str(email.header.make_header(pieces))
    except (email.errors.HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def _moment(text: str) -> str | None:
    try:
        return parsedate_to_datetime(text).isoformat()
    except (TypeError, ValueError):
        return None
