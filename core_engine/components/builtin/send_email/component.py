"""Sends an e-mail."""

from __future__ import annotations

import re
from email.utils import getaddresses
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import override

from core_engine.components.dialling import CaCertificates, Host, Port, Security
from core_engine.components.fields import Words, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]+@[^\s<>()\[\],;:\"\\@]+")


def _one_line(text: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise ValueError("must be one line without control characters")
    return text.strip()


def _addresses(text: str) -> str:
    _one_line(text)
    for _, address in getaddresses([text]) if text.strip() else []:
        if not _ADDRESS.fullmatch(address):
            raise ValueError("must be addresses such as sari@example.com, with commas between them")
    return text.strip()


OneLine = Annotated[str, AfterValidator(_one_line)]
Addresses = Annotated[str, AfterValidator(_addresses)]


class SendEmailConfig(Config):
    """The message, and the server that takes it."""

    host: Host = Field(title="Server", description="Your mail server's name.")
    port: Port = Field(587, description="Its port: mostly 587 for starttls, 465 for tls.")
    security: Security = Field(
        "starttls", description="How the connection is protected. none is only for a server on this machine."
    )
    username: str = Field("", max_length=1000, description="User name; empty does not sign in.")
    password: str = Field(
        "", max_length=4000, description="Password; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.SMTP_PASSWORD }}", secret=True),
    )  # fmt: skip
    sender: Addresses = Field(
        min_length=3,
        max_length=500,
        title="From",
        description="Who it is from, such as Garden <garden@example.com>.",
    )
    to: Addresses = Field("", max_length=20_000, description="Who gets it, with commas.")
    cc: Addresses = Field("", max_length=20_000, description="Who gets a copy, with commas.")
    bcc: Addresses = Field(
        "", max_length=20_000, description="Who gets a copy that nobody sees, with commas."
    )
    reply_to: Addresses = Field("", max_length=1000, description="Where answers go, when not to the sender.")
    subject: OneLine = Field("", max_length=900, description="What it is about.")
    text: str = Field(
        "", max_length=5_000_000, description="The message as plain text.",
        json_schema_extra=form(widget="textarea", rows=8),
    )  # fmt: skip
    html: str = Field(
        "", max_length=5_000_000, title="HTML", description="The message as HTML, beside the text or instead of it.",
        json_schema_extra=form(widget="textarea", rows=8),
    )  # fmt: skip
    attachments: Words = Field(
        default_factory=list, max_length=100,
        description="Files that go along, inside the folders of workflows, with commas or as a list.",
    )  # fmt: skip
    max_mib: float = Field(
        20,
        gt=0,
        le=200,
        title="Largest attachments (MiB)",
        description="More attachments are refused, in MiB.",
    )
    timeout_seconds: float = Field(60.0, gt=0, le=3600, description="Longest time it may take, in seconds.")
    ca_certificates: CaCertificates = ""
    after_crash: Literal["once", "key"] = Field(
        "once",
        description=(
            "When a crash leaves the outcome unknown. once: never send again by itself. key: send again with the"
            " same Message-ID, by which many mailboxes, not all, keep one of the two."
        ),
    )

    @model_validator(mode="after")
    def _has_a_recipient(self) -> Self:
        if not (self.to or self.cc or self.bcc):
            raise ValueError("to: somebody must get it (to, cc or bcc)")
        if len(getaddresses([self.sender])) != 1:
            raise ValueError("sender: must be one address")
        return self


class SendEmail(Component[SendEmailConfig]):
    """Sends a message."""

    id = "send_email"
    name = "Send e-mail"
    description = "Sends an e-mail with text, HTML and attachments through your mail server (SMTP)."
    category = "Network"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = SendEmailConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: SendEmailConfig) -> StepPolicy:
        """Send once, unless the same Message-ID is said to be enough."""
        return StepPolicy.KEYED if config.after_crash == "key" else StepPolicy.ONCE

    @override
    async def execute(self, context: Context, config: SendEmailConfig, payload: Payload) -> Result:
        """Return ``message_id``, ``accepted`` and ``refused`` (addresses), and ``size_bytes``.

        The step fails when the server refuses every recipient.
        """
        from core_engine.components.builtin.send_email.delivery import deliver  # noqa: PLC0415 - heavy, only where used

        receipt = await deliver(self._network, config, context)
        if receipt["refused"]:
            context.log(f"The server refused {', '.join(receipt['refused'])}.", "WARN")
        context.log(f"Sent to {len(receipt['accepted'])} recipients.")
        return Result.on("success", receipt, payload.history)

    @override
    async def simulate(self, context: Context, config: SendEmailConfig, payload: Payload) -> Result:
        """Connect to nobody and read no attachment; return what would be accepted."""
        accepted = recipients(config)
        context.log(f"Simulated: would send to {len(accepted)} recipients.")
        data: dict[str, Any] = {
            "message_id": "", "accepted": accepted, "refused": [], "size_bytes": 0, "simulated": True
        }  # fmt: skip
        return Result.on("success", data, payload.history)


def recipients(config: SendEmailConfig) -> list[str]:
    """Return the addresses of everybody who gets the message, each once."""
    found = getaddresses([text for text in (config.to, config.cc, config.bcc) if text])
    return list(dict.fromkeys(address for _, address in found if address))
