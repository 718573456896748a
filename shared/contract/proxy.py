"""REST operations that an engine answers and the gateway passes on (protocol §1.4, §4.4), and how they travel there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Base64Bytes, Field, StringConstraints

from shared.contract.base import Incoming, JobId, Operation, Outgoing, Role
from shared.contract.run import RunMode
from shared.contract.variable import VariableData

LARGEST_PART = 256 * 1024
"""Bytes of an answer's body that travel the link at a time; further ones are asked for."""
HEADERS = frozenset({"if-none-match", "accept-language", "content-type", "traceparent"})
"""The only headers of a request that reach an engine; signatures, cookies and secrets never do."""


@dataclass(frozen=True, slots=True)
class EngineOperation(Operation):
    """An operation that the caller's engine answers.

    ``role`` is what the caller needs on the engine, None for one that is open to everybody; ``writes`` tells that
    it changes something, which an engine may refuse to a gateway that only speaks for its user.
    """

    role: Role | None = Role.READER
    writes: bool = False
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class ForwardOperation(Operation):
    """A catch-all: what follows in the path is one of the `EngineOperation`, and is passed on as that."""


class EngineRequest(Outgoing):
    """`/engine-socket` event ``engine_request``, gateway to engine, acknowledged with `EngineAnswer`.

    ``path`` starts with ``/api/v1/``; ``user`` is the verified address, None for a public request. Bodies travel as
    Base64, because nothing on these sockets is binary.
    """

    id: str
    method: str
    path: str
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    user: str | None = None


class EngineAnswer(Incoming):
    """An engine's answer; ``next`` is the offset of the rest of the body where it is longer than one part."""

    status: int = Field(ge=100, le=599)
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    media: str = Field(default="application/json", max_length=100)
    body: Base64Bytes = Field(default=b"", max_length=2 * LARGEST_PART)
    next: int | None = Field(default=None, gt=0)


class EngineMore(Outgoing):
    """`/engine-socket` event ``engine_request_more``: the part of an answer from an offset on."""

    id: str
    offset: int


class EnginePart(Incoming):
    """A further part of an answer's body; ``gone`` when the engine does not keep the answer any more."""

    body: Base64Bytes = Field(max_length=2 * LARGEST_PART)
    next: int | None = Field(default=None, gt=0)
    gone: bool = False


class Done(Outgoing):
    """A plain success in the words of the documented clients."""

    status: str = "success"
    message: str = ""


class PresetExists(Outgoing):
    """Whether a preset exists."""

    exists: bool


class PresetVersionItem(Outgoing):
    """A version in the documented list: ``version`` is ``v`` and its number."""

    id: str
    version: str
    timestamp: str


class SavePresetBody(Incoming):
    """A version signed by its author; see the command save_preset."""

    preset: Annotated[str, StringConstraints(min_length=1, max_length=120)] = Field(alias="name")
    workflow_data: dict[str, Any]
    signature: str = Field(max_length=132)
    based_on: int | None = Field(default=None, ge=0)


class VariableBody(VariableData):
    """A variable's new content; ``value`` must be there."""

    value: Any = Field(...)


class VariableStateBody(Incoming):
    """Switch a variable on or off."""

    enabled: bool


class PreferencesBody(Incoming, extra="allow"):
    """Preferences to merge into the stored ones."""


class RunPresetBody(Incoming):
    """How a saved workflow is run."""

    initial_payload: Any = Field(default_factory=dict)
    mode: RunMode = RunMode.EXECUTE
    job_id: JobId | None = None


class RunAcceptedAnswer(Outgoing):
    """The run is journaled."""

    status: str = "accepted"
    message: str
    job_id: JobId


class ActiveJob(Outgoing):
    """A run that goes on."""

    id: JobId
    preset: str | None
    duration_seconds: float


class NamedCount(Outgoing):
    """How often something happened to a preset."""

    name: str
    count: int


class SlowPreset(Outgoing):
    """How long a preset's runs take on average."""

    name: str
    avg_duration_ms: float


class RunCounts(Outgoing):
    """Runs that ended in the last 24 hours."""

    success: int
    failed: int


class UsageCount(Outgoing):
    """Runs started in the last 24 hours."""

    used: int


class SystemOverview(Outgoing):
    """What the engine is and has."""

    kernel_version: str
    license_tier: str = "architect"
    is_busy: bool
    modules: int
    plugins: int
    widgets: int
    triggers: int
    presets: int
    status: str = "ok"


class LiveStats(Outgoing):
    """The dashboard's figures (protocol §1.4); ``recent_activity`` are sentences, newest first."""

    active_jobs: list[ActiveJob]
    execution_stats_24h: RunCounts
    top_failing_presets: list[NamedCount]
    top_slowest_presets: list[SlowPreset]
    recent_activity: list[str]
    usage_stats: UsageCount
    system_overview: SystemOverview


class NewsItem(Outgoing):
    """Something worth knowing; ``date`` is ISO 8601."""

    id: str
    date: str
    title: str
    body: str
    url: str | None = None
