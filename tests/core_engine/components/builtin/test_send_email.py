"""Sending e-mail to a real SMTP server."""

from __future__ import annotations

import asyncio
import email
import email.policy
from typing import Any

import pytest
from pydantic import ValidationError

from core_engine.components.builtin.send_email.component import SendEmail
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.support.tcp import serving


@pytest.fixture
def letter(certificate) -> dict[str, Any]:
    return {
        "host": "localhost", "security": "starttls", "username": "garden", "password": "pass word",
        "sender": "Gärten <garden@example.com>", "to": "sari@example.com", "subject": "Grüße", "text": "Water.",
        "ca_certificates": certificate.pem, "timeout_seconds": 30,
    }  # fmt: skip


def read(envelope: Any) -> email.message.EmailMessage:
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
async def test_a_message_arrives_over_every_kind_of_connection(
    run, mail_server, letter, security: str
) -> None:
    server = await mail_server(security)
    result = await run("send_email", {**letter, "port": server.port, "security": security})
    (envelope,) = server.messages
    message = read(envelope)
    assert (message["From"], message["Subject"]) == ("Gärten <garden@example.com>", "Grüße")
    assert message.get_content().strip() == "Water."
    data = result.outputs["success"].data
    assert (data["accepted"], data["refused"]) == (["sari@example.com"], [])
    assert type(data["message_id"]) is str  # journals take plain values only
    assert message["Message-ID"] == data["message_id"]
    assert message["Date"]


async def test_html_copies_and_attachments_go_along(run, mail_server, letter, root) -> None:
    (root / "plan é.pdf").write_bytes(b"%PDF \x00\xff")
    server = await mail_server("starttls")
    more = {
        "html": "<p>Water.</p>", "cc": "a@example.com, B <b@example.com>", "bcc": "hidden@example.com",
        "reply_to": "back@example.com", "attachments": "plan é.pdf", "port": server.port,
    }  # fmt: skip
    await run("send_email", {**letter, **more})
    (envelope,) = server.messages
    everybody = ["sari@example.com", "a@example.com", "b@example.com", "hidden@example.com"]
    assert envelope.rcpt_tos == everybody
    assert b"hidden@example.com" not in envelope.content
    message = read(envelope)
    assert message.get_body(("html",)).get_content().strip() == "<p>Water.</p>"
    assert message.get_body(("plain",)).get_content().strip() == "Water."
    (part,) = message.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("plan é.pdf", b"%PDF \x00\xff")
    assert message["Reply-To"] == "back@example.com"


async def test_the_message_id_is_the_same_for_every_attempt(run, mail_server, letter) -> None:
    server = await mail_server("starttls")
    config = {**letter, "port": server.port, "after_crash": "key"}
    await run("send_email", config)
    await run("send_email", config, attempt=2)
    await run("send_email", config, idempotency_key="another")
    first, second, third = (read(envelope)["Message-ID"] for envelope in server.messages)
    assert first == second != third


async def test_a_wrong_password_fails_and_is_not_told(run, mail_server, letter) -> None:
    server = await mail_server("starttls")
    with pytest.raises(FloworkError, match="did not accept the user name and password") as caught:
        await run("send_email", {**letter, "port": server.port, "password": "wrong-one"})
    assert "wrong-one" not in f"{caught.value}{caught.value.details}{caught.value.__cause__}"
    assert server.messages == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
async def test_certificates_are_checked_by_authority_and_name(
    run, mail_server, letter, security: str
) -> None:
    server = await mail_server(security)
    config = {**letter, "port": server.port, "security": security}
    for change in ({"ca_certificates": ""}, {"host": "127.0.0.1"}):
        with pytest.raises(FloworkError, match="certificate is not trusted"):
            await run("send_email", {**config, **change})
    assert server.messages == []


async def test_starttls_is_never_given_up_for_the_open(run, mail_server, letter) -> None:
    server = await mail_server("none", open_to_all=True)
    with pytest.raises(FloworkError) as caught:
        await run("send_email", {**letter, "port": server.port})
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert server.messages == []


async def test_refused_recipients_are_told_and_all_refused_is_a_failure(run, mail_server, letter) -> None:
    server = await mail_server("none", open_to_all=True)
    server.refused = {"b@example.com"}
    config = {**letter, "port": server.port, "security": "none", "username": ""}
    data = (await run("send_email", {**config, "cc": "b@example.com"})).outputs["success"].data
    assert (data["accepted"], data["refused"]) == (["sari@example.com"], ["b@example.com"])
    with pytest.raises(FloworkError, match="refused every recipient"):
        await run("send_email", {**config, "to": "b@example.com"})


async def test_a_silent_server_is_given_up(run, mail_server, letter) -> None:
    server = await mail_server("none", open_to_all=True)
    server.never = asyncio.Event()
    config = {**letter, "port": server.port, "security": "none", "username": "", "timeout_seconds": 0.5}
    with pytest.raises(FloworkError, match=r"localhost:\d+ (did not answer|failed)"):
        await run("send_email", config)


async def test_a_server_without_a_greeting_is_given_up(run, letter) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(say_nothing) as port:
        for security in ("tls", "starttls"):
            with pytest.raises(FloworkError, match=r"localhost:\d+ (did not answer|failed)"):
                await run(
                    "send_email", {**letter, "port": port, "security": security, "timeout_seconds": 0.3}
                )


@pytest.mark.parametrize(
    ("attachment", "code"),
    [("../x", ErrorCode.FORBIDDEN), ("none", ErrorCode.NOT_FOUND), ("big", ErrorCode.TOO_LARGE)],
)
async def test_attachments_come_from_the_folders_only(
    run, mail_server, letter, root, attachment, code
) -> None:
    (root / "big").write_bytes(bytes(2000))
    server = await mail_server("starttls")
    with pytest.raises(FloworkError) as caught:
        await run("send_email", {**letter, "port": server.port, "attachments": attachment, "max_mib": 0.001})
    assert caught.value.code is code
    assert server.messages == []


async def test_a_private_server_is_refused(step, mail_server, letter) -> None:
    server = await mail_server("starttls")
    component = SendEmail(NetworkPolicy())
    for host in ("127.0.0.1", "localhost"):
        config = component.parse_config({**letter, "port": server.port, "host": host})
        with pytest.raises(FloworkError) as caught:
            await component.execute(step, config, Payload())
        assert caught.value.code is ErrorCode.FORBIDDEN
    assert server.messages == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"to": ""}, "to"), ({"to": "nobody"}, "to"), ({"subject": "a\nBcc: x@y.z"}, "subject"), ({"port": 0}, "port"),
        ({"sender": "a@b.c\r\nX: y"}, "sender"), ({"sender": "a@b.c, d@e.f"}, "sender"), ({"host": "a b"}, "host"),
        ({"security": "maybe"}, "security"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(registry, letter, change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("send_email").parse_config({**letter, **change})
    error = caught.value.errors()[0]
    assert what in str(error["loc"]) + error["msg"]


async def test_simulating_connects_to_nobody(run, registry, letter) -> None:
    config = {**letter, "port": 1, "attachments": "none"}
    data = (await run("send_email", config, mode=RunMode.SIMULATE)).outputs["success"].data
    assert (data["accepted"], data["simulated"]) == (["sari@example.com"], True)
    component = registry.find("send_email")
    policies = [
        component.policy_for(component.parse_config({**config, "after_crash": kind}))
        for kind in ("once", "key")
    ]
    assert policies == [StepPolicy.ONCE, StepPolicy.KEYED]
