"""``flowork triggers``: what starts saved workflows by itself."""

from __future__ import annotations

import json
from typing import Any, TypeVar, get_args

import click

from flowork.client import EngineSession
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from flowork.terminal.text import printable
from shared.clock import iso
from shared.contract.base import Command, Outgoing
from shared.contract.flow_trigger import TriggerPolicy
from shared.contract.run import RunMode
from shared.contract.trigger import (
    DisableTrigger,
    EnableTrigger,
    FireTrigger,
    ListTriggers,
    SaveTrigger,
    SchedulePreview,
    SchedulePreviewed,
    TriggerFired,
    TriggerItem,
    TriggerKind,
    TriggerSaved,
    TriggersList,
)
from shared.errors import ErrorCode, FloworkError

Reply = TypeVar("Reply", bound=Outgoing)
_POLICIES = list(get_args(TriggerPolicy.model_fields["kind"].annotation))


@click.group(name="triggers")
def command() -> None:
    """List, make, switch and fire trigger rules, and look ahead at the schedule."""


@command.command(name="list")
@click.option("--preset", help="Only the rules of this preset.")
@json_option
@engine_options
def list_(reach: EngineReach, *, preset: str | None, as_json: bool) -> None:
    """List the rules with their next start."""
    with reach.session() as session:
        rules = _ask(session, ListTriggers(preset_name=preset), TriggersList).rules
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(rules)
        return
    rows = [
        (
            rule.id,
            rule.preset_name,
            rule.rule_name,
            rule.kind,
            _state(rule),
            iso(rule.next_run_time) if rule.next_run_time else "",
        )
        for rule in rules
    ]
    head = ("RULE", "PRESET", "NAME", "KIND", "STATE", "NEXT START")
    terminal.show_table(head, rows, empty="No trigger rules yet.")


@command.command()
@click.argument("preset")
@click.argument("kind", type=click.Choice(get_args(TriggerKind)))
@click.option("--name", default="", help="What the rule is called.")
@click.option(
    "--config", default="{}", metavar="JSON", help='How it fires, such as {"cron_string": "@daily"}.'
)
@click.option("--policy", type=click.Choice(_POLICIES), help="What happens when it fires again meanwhile.")
@click.option("--simulate", is_flag=True, help="Its runs have no effect outside.")
@json_option
@engine_options
def add(  # noqa: PLR0913 - one for each option
    reach: EngineReach,
    *,
    preset: str,
    kind: TriggerKind,
    name: str,
    config: str,
    policy: str | None,
    simulate: bool,
    as_json: bool,
) -> None:
    """Make a rule for the saved workflow PRESET."""
    fields: dict[str, Any] = {"preset_name": preset, "kind": kind, "name": name}
    fields |= {"config": _object(config, "--config"), "policy": {"kind": policy} if policy else None}
    fields |= {"mode": RunMode.SIMULATE if simulate else RunMode.EXECUTE}
    wanted = SaveTrigger.model_validate(fields)
    with reach.session() as session:
        saved = _ask(session, wanted, TriggerSaved)
    _tell(reach, saved, as_json=as_json)


@command.command()
@click.argument("rule")
@json_option
@engine_options
def enable(reach: EngineReach, *, rule: str, as_json: bool) -> None:
    """Let RULE start runs."""
    with reach.session() as session:
        saved = _ask(session, EnableTrigger(rule_id=rule), TriggerSaved)
    _tell(reach, saved, as_json=as_json)


@command.command()
@click.argument("rule")
@json_option
@engine_options
def disable(reach: EngineReach, *, rule: str, as_json: bool) -> None:
    """Stop RULE from firing."""
    with reach.session() as session:
        saved = _ask(session, DisableTrigger(rule_id=rule), TriggerSaved)
    _tell(reach, saved, as_json=as_json)


@command.command()
@click.argument("rule")
@click.option("--event", default="{}", metavar="JSON", help="What the workflow gets.")
@json_option
@engine_options
def fire(reach: EngineReach, *, rule: str, event: str, as_json: bool) -> None:
    """Fire RULE by hand, whatever its kind."""
    with reach.session() as session:
        fired = _ask(session, FireTrigger(rule_id=rule, event=_object(event, "--event")), TriggerFired)
    if as_json:
        reach.through.terminal.show_json(fired)
    else:
        run = f": run {fired.run_id}" if fired.run_id else ""
        reach.through.terminal.say(f"{fired.outcome}{run}")


@command.command()
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@json_option
@engine_options
def preview(reach: EngineReach, *, limit: int, as_json: bool) -> None:
    """Show what starts by time within a week, soonest first."""
    with reach.session() as session:
        starts = _ask(session, SchedulePreview(limit=limit), SchedulePreviewed).starts
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(starts)
        return
    rows = [(iso(start.due), start.preset_name, start.rule_name, start.rule_id) for start in starts]
    terminal.show_table(("DUE", "PRESET", "NAME", "RULE"), rows, empty="Nothing starts by time.")


def _ask(session: EngineSession, command: Command, reply: type[Reply]) -> Reply:
    answer = session.call(command)
    if not isinstance(answer, reply):
        raise FloworkError(ErrorCode.INTERNAL, f"The engine answered {command.name} with another event.")
    return answer


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{option} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{option} must be a JSON object.")
    return value


def _state(rule: TriggerItem) -> str:
    if not rule.enabled:
        return "off"
    return f"blocked: {rule.blocked}" if rule.blocked else "on"


def _tell(reach: EngineReach, saved: TriggerSaved, *, as_json: bool) -> None:
    terminal, rule = reach.through.terminal, saved.rule
    if as_json:
        terminal.show_json(rule)
        return
    following = f", next start {iso(rule.next_run_time)}" if rule.next_run_time else ""
    terminal.say(f"Rule {rule.id} ({printable(rule.rule_name)}) is {printable(_state(rule))}{following}")
