"""Fetching e-mail from a real IMAP server."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import ValidationError

from core_engine.components.builtin.fetch_email.component import FetchEmail
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.support.tcp import serving


def letter(subject: str, sender: str = "sari@example.com", attachment: str = "") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "garden@example.com", subject
    message["Date"], message["Message-ID"] = "Thu, 01 Jan 2026 10:00:00 +0200", f"<{subject[:2]}@example.com>"
    message.set_content("Wässern.")
    if attachment:
        message.add_alternative("<b>Wässern.</b>", subtype="html")
        message.add_attachment(b"\x00\xff", maintype="image", subtype="png", filename=attachment)
    return message.as_bytes()


@pytest.fixture
def access(mailbox) -> dict[str, Any]:
    return {
        "host": "127.0.0.1", "port": mailbox.port, "security": "none", "username": "garden",
        "password": "pass word", "timeout_seconds": 60,
    }  # fmt: skip


async def fetch(run, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    return (await run("fetch_email", {**config, **more})).outputs["success"].data


async def test_messages_are_found_read_and_left_as_they_are(run, mailbox, access) -> None:
    mailbox.put("1.a", letter("one"))
    mailbox.put("2.b", letter("Grüße", sender="Ana <ana@example.com>"))
    data = await fetch(run, access)
    assert (data["count"], data["more"]) == (2, 0)
    newest, oldest = data["messages"]
    assert newest["uid"] > oldest["uid"]
    (found,) = (await fetch(run, access, from_contains="ana@"))["messages"]
    assert (found["subject"], found["from"]) == ("Grüße", "Ana <ana@example.com>")
    assert (found["text"].strip(), found["date"]) == ("Wässern.", "2026-01-01T10:00:00+02:00")
    assert (found["message_id"], found["complete"]) == ("<Gr@example.com>", True)
    (found,) = (await fetch(run, access, subject_contains="Grüße"))["messages"]
    assert found["subject"] == "Grüße"
    assert (await fetch(run, access, subject_contains='none" ALL'))["count"] == 0
    assert (await fetch(run, access, limit=1))["more"] == 1
    assert (await fetch(run, access, since_days=1))["count"] == 2  # by when they came, not by their own date
    assert not any(name.endswith("S") for name in mailbox.inside())  # S: seen


async def test_attachments_are_saved_inside_the_folders(run, mailbox, access, root) -> None:
    mailbox.put("1.a", letter("pictures", attachment="../../evil .png"))
    (message,) = (await fetch(run, access))["messages"]
    (told,) = message["attachments"]
    assert (told["name"], told["content_type"], told["size_bytes"]) == ("../../evil .png", "image/png", 2)
    assert "path" not in told
    assert message["html"].strip() == "<b>Wässern.</b>"
    assert list(root.iterdir()) == []
    for _ in range(2):
        (message,) = (await fetch(run, access, save_attachments=True))["messages"]
    (saved,) = (root / "mail").iterdir()
    assert message["attachments"][0]["path"] == str(saved)
    assert (saved.read_bytes(), saved.name.endswith("-evil .png")) == (b"\x00\xff", True)
    with pytest.raises(FloworkError) as caught:
        await fetch(run, access, save_attachments=True, attachments_folder="../out")
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_messages_are_marked_or_moved_when_asked(run, mailbox, access) -> None:
    mailbox.put("1.a", letter("one"))
    assert (await fetch(run, access, afterwards="mark_read"))["count"] == 1
    assert (await fetch(run, access))["count"] == 0
    assert [name.endswith("S") for name in mailbox.inside()] == [True]
    assert (await fetch(run, access, search="all", afterwards="move", move_to="Done"))["count"] == 1
    assert mailbox.inside() == []
    assert len(mailbox.inside(".Done")) == 1
    assert (await fetch(run, access, search="all", mailbox="Done"))["count"] == 1
    moved = {"search": "all", "mailbox": "Done", "afterwards": "move", "move_to": "Grün"}
    assert (await fetch(run, access, **moved))["count"] == 1
    assert len(mailbox.inside(".Gr&APw-n")) == 1  # as RFC 3501 spells it
    assert (await fetch(run, access, search="all", mailbox="Grün"))["count"] == 1
    with pytest.raises(FloworkError, match="could not move"):
        await fetch(run, access, search="all", mailbox="Grün", afterwards="move", move_to="Nowhere")


async def test_a_large_message_is_told_and_left(run, mailbox, access) -> None:
    mailbox.put("1.a", letter("x" * 100))
    (message,) = (await fetch(run, access, max_mib=0.0001, afterwards="mark_read"))["messages"]
    assert (message["complete"], message["attachments"]) == (False, [])
    assert message["size_bytes"] > 100
    assert not mailbox.inside()[0].endswith("S")


async def test_a_wrong_password_or_folder_fails_clearly(run, access) -> None:
    with pytest.raises(FloworkError, match="did not accept the user name and password") as caught:
        await fetch(run, access, password="wrong-one")
    assert "wrong-one" not in f"{caught.value}{caught.value.details}"
    with pytest.raises(FloworkError, match="did not accept the user name and password"):
        await fetch(run, access, username="Gärten")
    assert (await fetch(run, access, username="sari", password="Gießkanne"))["count"] == 0
    with pytest.raises(FloworkError, match="no folder 'None'"):
        await fetch(run, access, mailbox="None")


async def test_certificates_are_checked_by_authority_and_name(run, mailbox, access, certificate) -> None:
    secure = {**access, "port": mailbox.tls_port, "security": "tls", "host": "localhost"}
    assert (await fetch(run, secure, ca_certificates=certificate.pem))["count"] == 0
    for change in ({}, {"ca_certificates": certificate.pem, "host": "127.0.0.1"}):
        with pytest.raises(FloworkError, match="certificate is not trusted"):
            await fetch(run, secure, **change)


async def test_a_silent_server_is_given_up(run) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(say_nothing) as port:
        config = {"host": "127.0.0.1", "port": port, "security": "none"}
        with pytest.raises(FloworkError, match=r"did not finish within 0\.3 s"):
            await fetch(run, {**config, "username": "garden", "timeout_seconds": 0.3})


async def test_a_server_that_announces_more_than_the_largest_message_is_left(run) -> None:
    async def boast(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1] hello {9999999999}\r\n")
        await reader.read()
        writer.close()

    async with serving(boast) as port:
        config = {"host": "127.0.0.1", "port": port, "security": "none"}
        with pytest.raises(FloworkError, match="failed: abort"):
            await fetch(run, {**config, "username": "garden", "timeout_seconds": 60})


async def test_a_server_that_never_stops_talking_is_left(run) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
            while not writer.is_closing():
                writer.write(b"* LIST () NIL " + b"x" * 60_000 + b"\r\n")
                await writer.drain()
        writer.close()

    async with serving(chatter) as port:
        config = {"host": "127.0.0.1", "port": port, "security": "none"}
        with pytest.raises(FloworkError, match="failed: abort"):
            await fetch(run, {**config, "username": "garden", "timeout_seconds": 10, "max_mib": 1})


async def test_a_private_server_is_refused(step) -> None:
    component = FetchEmail(NetworkPolicy())
    config = component.parse_config({"host": "127.0.0.1", "username": "garden"})
    with pytest.raises(FloworkError) as caught:
        await component.execute(step, config, Payload())
    assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"username": ""}, "username"), ({"mailbox": "a\r\nDELETE b"}, "mailbox"), ({"afterwards": "move"}, "move_to"),
        ({"subject_contains": "a\nb"}, "subject_contains"), ({"limit": 0}, "limit"), ({"search": "odd"}, "search"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(registry, change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("fetch_email").parse_config({"host": "example.com", "username": "u", **change})
    error = caught.value.errors()[0]
    assert what in str(error["loc"]) + error["msg"]


async def test_simulating_connects_to_nobody(run, registry) -> None:
    config = {"host": "127.0.0.1", "port": 1, "username": "u"}
    data = (await run("fetch_email", config, mode=RunMode.SIMULATE)).outputs["success"].data
    assert data == {"messages": [], "count": 0, "more": 0, "simulated": True}
    component = registry.find("fetch_email")
    assert component.policy_for(component.parse_config(config)) is StepPolicy.REPEATABLE
    assert (
        component.policy_for(component.parse_config({**config, "afterwards": "mark_read"})) is StepPolicy.ONCE
    )
