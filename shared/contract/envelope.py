"""The signed envelope around every client message on the raw engine socket (protocol §2.5, §4.1)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.contract.base import Address, Audience, Event, Incoming, JobId


class Delegation(Incoming):
    """A wallet's permission for a session key: the EIP-4361 text it signed and that signature."""

    message: str = Field(max_length=4096)
    signature: str = Field(max_length=132)


class EnvelopeAuth(Incoming):
    """Who sends the message and the proof: ``signature`` is the EIP-191 signature of ``message``."""

    address: Address
    message: str = Field(min_length=1, max_length=1024)
    signature: str = Field(max_length=132)
    delegation: Delegation | None = None


class Envelope(Incoming):
    """One client message: ``payload.type`` names the command, its other members are the command's fields."""

    auth: EnvelopeAuth
    payload: dict[str, Any]


class ErrorEvent(Event, name="error", relay="error", audience=Audience.CALLER):
    """The answer to a message that could not be carried out; nothing was changed by it.

    Without an id it can also tell a page behind the gateway that the right has ended by which it was told of runs and
    presets (``details.ended``: delegation, access or link). From then on it is told of nothing that it followed; on the
    raw socket the connection is closed with 1008 instead.
    """

    type: str = "error"
    code: str
    message: str
    details: Any = None
    job_id: JobId | None = None
    request_id: str | None = None
