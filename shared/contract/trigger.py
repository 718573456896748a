"""Trigger rules: what starts saved workflows by itself (protocol §7.5, extended)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StringConstraints

from shared.contract.base import Address, Audience, Command, Event, JobId, Outgoing, Role
from shared.contract.flow_trigger import TriggerPolicy
from shared.contract.preset import PresetName
from shared.contract.run import RunMode

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$")]
TriggerKind = Literal["cron", "webhook", "file_system", "process", "event_bus", "run_finished", "manual"]


class TriggerCounts(Outgoing):
    """What became of a rule's events since the engine started."""

    fired: int = 0
    started: int = 0
    dropped: int = 0
    refused: int = 0
    denied: int = 0
    duplicate: int = 0
    missed: int = 0
    failed: int = 0


class TriggerAlarm(Event, name="TRIGGER_ALARM", audience=Audience.ENGINE):
    """A start by a rule came too late (``late``), or will not come (``not_started``); ``message`` says why.

    ``due`` (Unix ms) is when the first of ``count`` starts should have been. ``timestamp`` is ISO 8601 in UTC.
    """

    type: str = "TRIGGER_ALARM"
    rule_id: str
    preset_name: str
    rule_name: str
    kind: Literal["late", "not_started"]
    message: str
    due: int | None = None
    count: int = 1
    timestamp: str


def _is_absent(value: object) -> bool:
    return value is None


class TriggerItem(Outgoing):
    """A rule as it stands; times are Unix milliseconds.

    ``node_id`` names the trigger node of the preset that the rule comes from: such a rule is changed by saving the
    preset. ``config.secret`` is never shown; ``secret_set`` tells whether there is one. ``blocked`` is why the rule
    does not start anything although it is enabled, ``last_alarm`` its latest alarm since the engine started.
    """

    id: str
    preset_name: str
    kind: str
    rule_name: str = Field(alias="name")
    enabled: bool
    config: dict[str, Any]
    secret_set: bool
    policy: TriggerPolicy
    owner: Address
    mode: RunMode
    payload: Any
    node_id: str | None
    next_run_time: int | None
    last_due: int | None
    blocked: str | None
    running: int
    waiting: int
    counts: TriggerCounts
    last_alarm: TriggerAlarm | None = Field(default=None, exclude_if=_is_absent)


class TriggersList(Event, name="triggers_list_response", audience=Audience.CALLER):
    """The rules, by preset and name."""

    type: str = "triggers_list_response"
    rules: list[TriggerItem]
    request_id: str | None = None


class ListTriggers(Command, name="list_triggers", reply=TriggersList, role=Role.READER):
    """List the trigger rules, of one preset or of all."""

    preset_name: PresetName | None = None


class TriggerSaved(Event, name="trigger_response", audience=Audience.CALLER):
    """A rule after a change."""

    type: str = "trigger_response"
    rule: TriggerItem
    request_id: str | None = None


class SaveTrigger(Command, name="save_trigger", reply=TriggerSaved, role=Role.ADMIN):
    """Make a rule for a saved preset, or replace the one of ``rule_id``; its runs start as whoever saved it.

    ``kind`` says what fires it and ``config`` how, with the members of the component ``<kind>_trigger``. A secret
    left out keeps the present one. ``start_node_id`` starts the workflow at that node alone. ``payload`` is added
    to each event: an object's members, anything else as ``payload``.
    """

    rule_id: RuleId | None = None
    preset_name: PresetName
    kind: TriggerKind
    rule_name: str = Field(default="", validation_alias=AliasChoices("name", "rule_name"), max_length=200)
    enabled: bool = True
    config: dict[str, Any] = Field(default_factory=dict)
    policy: TriggerPolicy | None = None
    mode: RunMode = RunMode.EXECUTE
    payload: Any = None
    start_node_id: str | None = Field(default=None, max_length=80)


class DeleteTrigger(Command, name="delete_trigger", reply=TriggersList, role=Role.ADMIN):
    """Delete a rule with its waiting events; one that comes from a node goes by saving the preset without it."""

    rule_id: RuleId


class EnableTrigger(Command, name="enable_trigger", reply=TriggerSaved, role=Role.ADMIN):
    """Let a rule start runs; times that passed meanwhile count as missed for no one."""

    rule_id: RuleId


class DisableTrigger(Command, name="disable_trigger", reply=TriggerSaved, role=Role.ADMIN):
    """Stop a rule from firing; events that were accepted before still start."""

    rule_id: RuleId


class TriggerFired(Event, name="trigger_fired", audience=Audience.CALLER):
    """What became of an event. ``job_id`` is the run that starts or waits; None where there is none."""

    type: str = "trigger_fired"
    rule_id: str
    outcome: Literal["started", "waiting", "dropped", "refused", "duplicate"]
    run_id: JobId | None
    request_id: str | None = None


class FireTrigger(Command, name="fire_trigger", reply=TriggerFired, role=Role.RUNNER):
    """Fire a rule by hand, whatever its kind; ``event`` is what the workflow gets."""

    rule_id: RuleId
    event: Any = Field(default_factory=dict)


class PlannedStart(Outgoing):
    """A start to come; ``due`` is Unix milliseconds."""

    due: int
    rule_id: str
    preset_name: str
    rule_name: str


class SchedulePreviewed(Event, name="schedule_preview_response", audience=Audience.CALLER):
    """The coming starts over all enabled rules, soonest first."""

    type: str = "schedule_preview_response"
    starts: list[PlannedStart]
    request_id: str | None = None


class SchedulePreview(Command, name="schedule_preview", reply=SchedulePreviewed, role=Role.READER):
    """Tell what starts by time after ``from_ms`` (default now), up to ``until_ms`` (default a week later)."""

    from_ms: int | None = Field(default=None, ge=0)
    until_ms: int | None = Field(default=None, ge=0)
    limit: int = Field(default=50, ge=1, le=500)
