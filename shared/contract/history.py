"""What went along a connection of a run (protocol §4.1, §5.5)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from shared.contract.base import Audience, Command, Event, JobId, Outgoing, Role


class PassedPayload(Outgoing):
    """One payload as it travelled; secret values are masked."""

    data: Any
    history: list[Any]


class ConnectionHistory(
    Event, name="connection_history_response", relay="CONNECTION_DATA_RESPONSE", audience=Audience.CALLER
):
    """Every payload that went along a connection so far, oldest first; none when it stayed closed."""

    type: str = "connection_history_response"
    job_id: JobId
    connection_id: str
    history: list[PassedPayload]
    request_id: str | None = None


class RequestConnectionHistory(
    Command, name="request_connection_history", reply=ConnectionHistory, role=Role.READER
):
    """Read what went along a connection, during the run and after it; ``job_id`` is needed."""

    connection_id: str = Field(min_length=1, max_length=200)
