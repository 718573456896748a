"""Fetches e-mail from a mailbox."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from typing_extensions import override

from core_engine.components.dialling import CaCertificates, Host, Port
from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


def _one_line(text: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise ValueError("must be one line without control characters")
    return text


Line = Annotated[str, AfterValidator(_one_line)]


class FetchEmailConfig(Config):
    """The mailbox, which messages, and what becomes of them."""

    host: Host = Field(title="Server", description="Your mail server's name.")
    port: Port = Field(993, description="Its port: mostly 993 for tls, 143 for none.")
    security: Literal["tls", "none"] = Field(
        "tls", description="How the connection is protected. none is only for a server on this machine."
    )
    username: Line = Field(min_length=1, max_length=1000, description="User name.")
    password: Line = Field(
        "", max_length=4000, description="Password; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.IMAP_PASSWORD }}", secret=True),
    )  # fmt: skip
    mailbox: Line = Field("INBOX", min_length=1, max_length=500, description="Folder that is looked into.")
    search: Literal["unread", "all", "flagged"] = Field("unread", description="Which messages are fetched.")
    from_contains: Line = Field(
        "", max_length=500, description="Only messages whose sender holds this; empty for all."
    )
    subject_contains: Line = Field(
        "", max_length=500, description="Only messages whose subject holds this; empty for all."
    )
    since_days: int = Field(
        0, ge=0, le=36_500, description="Only messages of the last so many days; 0 for all."
    )
    limit: int = Field(20, ge=1, le=500, description="Most messages that are fetched, the newest first.")
    max_mib: float = Field(
        25, gt=0, le=200, title="Largest message (MiB)",
        description="Of a larger message only its size is told, in MiB.",
    )  # fmt: skip
    save_attachments: bool = Field(False, description="Save attachments as files.")
    attachments_folder: Line = Field(
        "mail", min_length=1, max_length=2000,
        description="Folder for attachments, inside the folders of workflows; missing folders are made.",
    )  # fmt: skip
    afterwards: Literal["nothing", "mark_read", "move"] = Field(
        "nothing", description="What becomes of fetched messages on the server."
    )
    move_to: Line = Field("", max_length=500, description="Folder on the server that takes them, for move.")
    timeout_seconds: float = Field(120.0, gt=0, le=3600, description="Longest time it may take, in seconds.")
    ca_certificates: CaCertificates = ""

    @model_validator(mode="after")
    def _names_a_folder(self) -> Self:
        if self.afterwards == "move" and not self.move_to:
            raise ValueError("move_to: move needs a folder")
        return self


class FetchEmail(Component[FetchEmailConfig]):
    """Fetches messages."""

    id = "fetch_email"
    name = "Fetch e-mail"
    description = (
        "Fetches messages from a mailbox (IMAP), saves attachments, and marks or moves what was fetched."
    )
    category = "Network"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = FetchEmailConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: FetchEmailConfig) -> StepPolicy:
        """Repeat what leaves the mailbox as it is: a second look would not find what was marked or moved."""
        return StepPolicy.REPEATABLE if config.afterwards == "nothing" else StepPolicy.ONCE

    @override
    async def execute(self, context: Context, config: FetchEmailConfig, payload: Payload) -> Result:
        """Return ``messages``, ``count`` and ``more`` (how many were found but not fetched).

        Each message has ``uid``, ``message_id``, ``from``, ``to``, ``cc``, ``subject``, ``date``, ``text``, ``html``,
        ``size_bytes``, ``complete`` and ``attachments`` (name, content_type, size_bytes and, when saved, path).
        """
        from core_engine.components.builtin.fetch_email.mailbox import fetch  # noqa: PLC0415 - heavy, only where used

        messages, found = await fetch(self._network, config, context)
        context.log(f"Fetched {len(messages)} of {found} messages.")
        return Result.on("success", _data(messages, found - len(messages)), payload.history)

    @override
    async def simulate(self, context: Context, config: FetchEmailConfig, payload: Payload) -> Result:
        """Connect to nobody and save nothing."""
        context.log(f"Simulated: would fetch up to {config.limit} messages of {config.mailbox}.")
        return Result.on("success", {**_data([], 0), "simulated": True}, payload.history)


def _data(messages: list[dict[str, Any]], more: int) -> dict[str, Any]:
    return {"messages": messages, "count": len(messages), "more": more}
