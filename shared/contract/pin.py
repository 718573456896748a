"""Pins: results of nodes that are fixed for trying a workflow out; ours, not of the published protocol."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from shared.contract.base import Audience, Command, Event, JobId, Outgoing, Role

MAX_PINS = 500
MAX_BREAKPOINTS = 500
MAX_PORTS = 50

PinnedOutputs = Annotated[dict[str, Any], Field(min_length=1, max_length=MAX_PORTS)]
"""Payloads by port: ``{"data", "history"}``, or any other JSON value, which is the data.

``{"error": "text"}`` with a text makes the node fail with that text.
"""


class StoredPin(Outgoing):
    """A result stored for a node of a preset; secret values are masked. ``pinned_at`` is Unix milliseconds."""

    node_id: str
    outputs: dict[str, Any]
    from_job_id: JobId | None = None
    pinned_by: str
    pinned_at: int


class PinsList(Event, name="pins_response", audience=Audience.CALLER):
    """The stored pins of a preset, by node."""

    type: str = "pins_response"
    preset: str
    pins: list[StoredPin]
    request_id: str | None = None


class PinData(Command, name="pin_data", reply=PinsList, role=Role.ADMIN):
    """Store a node's result for test runs of a preset: ``outputs``, or what it gave in ``from_job_id``.

    ``clear`` takes the pin away, without a ``node_id`` all of them. Only runs that ask with ``use_pins`` use it.
    """

    preset: str = Field(min_length=1, max_length=200)
    node_id: str | None = Field(default=None, min_length=1, max_length=80)
    outputs: PinnedOutputs | None = None
    from_job_id: JobId | None = None
    clear: bool = False

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        given = [self.outputs is not None, self.from_job_id is not None, self.clear]
        if sum(given) != 1:
            raise ValueError("exactly one of outputs, from_job_id and clear is needed")
        if self.node_id is None and not self.clear:
            raise ValueError("node_id is needed")
        return self


class ListPins(Command, name="list_pins", reply=PinsList, role=Role.ADMIN):
    """List the stored pins of a preset."""

    preset: str = Field(min_length=1, max_length=200)
