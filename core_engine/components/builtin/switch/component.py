"""Sends the data along the first rule that fits, or along every one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator
from typing_extensions import override

from core_engine.components.conditions import Operator, holds
from core_engine.components.fields import JsonList, Part, form
from core_engine.kernel.component import Component, Config, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

OTHERWISE = "otherwise"
_RESERVED = frozenset({
    OTHERWISE, "error", "failure", "success", "output", "default", "source", "out", "main", "result", "input",
})  # fmt: skip


class Rule(Part):
    """One way out: its port, and the comparison that opens it."""

    port: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_ -]{0,39}$")]
    left: Any = None
    operator: Operator = "=="
    right: Any = None


class SwitchConfig(Config):
    """The rules."""

    value: Any = Field(
        None, description="The value the rules judge when they name none of their own (as left).",
        json_schema_extra=form(placeholder="{{ data.status }}"),
    )  # fmt: skip
    rules: JsonList[Rule] = Field(
        default_factory=list, max_length=50,
        description='Ways out, in order: a list of {"port", "operator", "right"}, and "left" to judge another value.',
        json_schema_extra=form(language="json", rows=10, ports_from="port"),
    )  # fmt: skip
    mode: Literal["first", "all"] = Field(
        "first", description="Take the first rule that fits, or all that fit."
    )

    @field_validator("rules")
    @classmethod
    def _names_differ(cls, rules: list[Rule]) -> list[Rule]:
        names = [rule.port for rule in rules]
        for name in names:
            if name.lower() in _RESERVED or names.count(name) > 1:
                raise ValueError(f"the port name {name!r} is used twice or has a meaning of its own")
        return rules


class Switch(Component[SwitchConfig]):
    """Branches many ways."""

    id = "switch"
    name = "Switch"
    description = "Passes the data on along the port whose rule fits, or along otherwise."
    category = "Logic"
    kind = "LOGIC"
    outputs = (Port(OTHERWISE, "Otherwise", "No rule fits."), Port("error", "Error"))
    config_model = SwitchConfig

    @override
    def output_ports(self, config: SwitchConfig) -> tuple[Port, ...]:
        """Return one port for each rule, then the fixed ones."""
        return (*(Port(rule.port, rule.port) for rule in config.rules), *self.outputs)

    @override
    def execute(self, context: Context, config: SwitchConfig, payload: Payload) -> Result:
        """Choose the ports."""
        ports = [rule.port for rule in config.rules if _fits(rule, config.value)]
        if config.mode == "first":
            ports = ports[:1]
        return Result(dict.fromkeys(ports or [OTHERWISE], payload))


def _fits(rule: Rule, value: Any) -> bool:
    left = rule.left if "left" in rule.model_fields_set else value
    return holds(left, rule.operator, rule.right)
