"""Variables over REST: values of secrets never leave."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError

from core_engine.rest.exchange import RestAnswer
from core_engine.rest.router import answers
from core_engine.variables import VariableService
from shared.contract.proxied import (
    DELETE_VARIABLE,
    GET_VARIABLE,
    LIST_VARIABLES,
    PATCH_VARIABLE,
    PUT_VARIABLE,
)
from shared.contract.proxy import Done, VariableBody, VariableStateBody
from shared.contract.variable import Variable, VariableData, VariableName
from shared.errors import ErrorCode, FloworkError

_NAME: TypeAdapter[str] = TypeAdapter(VariableName)


class VariableResource:
    """Answers what the variables are."""

    def __init__(self, variables: VariableService) -> None:
        self._variables = variables

    @answers(LIST_VARIABLES)
    async def listing(self) -> list[Variable]:
        """List them, by name."""
        return self._variables.listing()

    @answers(GET_VARIABLE)
    async def one(self, variable: str) -> Variable:
        """Return one; the value of a secret is empty."""
        for item in self._variables.listing():
            if item.name == variable:
                return item
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no variable {variable[:80]}.")

    @answers(PUT_VARIABLE)
    async def put(self, variable: str, body: VariableBody) -> Done:
        """Create or change one."""
        await self._variables.update(_named(variable), body)
        return Done(message=f"Variable {variable} was saved.")

    @answers(PATCH_VARIABLE)
    async def switch(self, variable: str, body: VariableStateBody) -> Done:
        """Switch one on or off; its value stays."""
        item = await self.one(variable)
        data = VariableData(
            value=item.value, is_secret=item.is_secret, is_enabled=body.enabled, mode=item.mode
        )
        await self._variables.update(_named(variable), data)
        return Done(message=f"Variable {variable} is {'on' if body.enabled else 'off'}.")

    @answers(DELETE_VARIABLE)
    async def delete(self, variable: str) -> RestAnswer:
        """Delete one."""
        await self._variables.delete(variable)
        return RestAnswer(204)


def _named(variable: str) -> str:
    try:
        return _NAME.validate_python(variable)
    except ValidationError as error:
        message = "A variable's name has capital letters, digits and underscores, and begins with a letter."
        problems = [{"field": "name", "problem": message}]
        raise FloworkError(ErrorCode.INVALID_REQUEST, message, details=problems) from error
