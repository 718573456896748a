"""Variables that workflows use as ``{{vars.NAME}}`` (protocol §4.1, §5.5, §7.3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Audience, Command, Event, Incoming, Outgoing, Role

VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,79}$")]
VariableMode = Literal["single", "random", "sequential"]


class Variable(Outgoing):
    """A variable; the value of a secret is always the empty string."""

    name: str
    value: Any
    is_secret: bool
    is_enabled: bool
    mode: VariableMode
    is_protected: bool = False


class VariablesList(Event, name="variables_response", relay="response_variables", audience=Audience.CALLER):
    """All variables, by name."""

    type: str = "variables_response"
    variables: list[Variable]
    request_id: str | None = None


class RequestVariables(Command, name="request_variables", reply=VariablesList, role=Role.READER):
    """List the variables."""


class VariableData(Incoming):
    """A variable's new content. An empty value keeps an existing secret as it is.

    ``mode`` random and sequential take a list of values and hand out one at a time.
    """

    value: Any = None
    is_secret: bool = False
    is_enabled: bool = True
    mode: VariableMode = "single"


class UpdateVariable(Command, name="update_variable", reply=VariablesList, role=Role.ADMIN):
    """Create or change a variable."""

    variable: VariableName = Field(alias="name")
    data: VariableData


class DeleteVariable(Command, name="delete_variable", reply=VariablesList, role=Role.ADMIN):
    """Delete a variable."""

    variable: VariableName = Field(alias="name")
