"""Typed inputs: reads what a workflow says it must be given, and checks what a run of it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from core_engine.kernel.payload import Payload
from shared.contract.flow_family import MAX_INPUTS, InputType, WorkflowInput
from shared.contract.workflow import WorkflowProblem
from shared.errors import ErrorCode, FloworkError

_TYPES: dict[InputType, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


def read_inputs(data: Mapping[str, Any]) -> tuple[tuple[WorkflowInput, ...], list[WorkflowProblem]]:
    """Return ``workflow_data.inputs`` and what is wrong with it; a workflow without it takes anything."""
    given = data.get("inputs")
    if given is None:
        return (), []
    if not isinstance(given, list) or len(given) > MAX_INPUTS:
        problem = f"inputs must be a list of at most {MAX_INPUTS}."
        return (), [WorkflowProblem(problem=problem, field="inputs")]
    found: dict[str, WorkflowInput] = {}
    problems = []
    for position, raw in enumerate(given):
        place = f"inputs.{position}"
        try:
            item = WorkflowInput.model_validate(raw)
        except ValidationError as error:
            for wrong in error.errors(include_url=False, include_input=False):
                where = ".".join(map(str, (place, *wrong["loc"])))
                problems.append(WorkflowProblem(problem=wrong["msg"], field=where))
            continue
        if item.name in found:
            problems.append(WorkflowProblem(problem=f"Two inputs are called {item.name}.", field=place))
        if "default" in item.model_fields_set and item.default is not None and not _fits(item, item.default):
            text = f"The default of {item.name} is no {item.type}."
            problems.append(WorkflowProblem(problem=text, field=f"{place}.default"))
        found[item.name] = item
    return tuple(found.values()), problems


def filled(inputs: Sequence[WorkflowInput], payload: Payload) -> Payload:
    """Return a payload with the defaults of what it lacks; raises INVALID_REQUEST naming every wrong input."""
    if not inputs:
        return payload
    if not isinstance(payload.data, dict):
        raise _refusal(["data"], ["This workflow has inputs, so its data must be an object."])
    data = dict(payload.data)
    fields, problems = [], []
    for item in inputs:
        if item.name not in data:
            if "default" in item.model_fields_set:
                data[item.name] = item.default
            elif item.required:
                fields.append(item.name)
                problems.append(f"The input {item.name} is missing; it must be {_article(item.type)}.")
        elif not (_fits(item, data[item.name]) or (data[item.name] is None and not item.required)):
            fields.append(item.name)
            kind = _kind(data[item.name])
            problems.append(f"The input {item.name} must be {_article(item.type)}, not {kind}.")
    if problems:
        raise _refusal(fields, problems)
    return Payload(data, payload.history)


def _refusal(fields: list[str], problems: list[str]) -> FloworkError:
    details = [
        {
            "field": f"initial_payload.data.{name}" if name != "data" else "initial_payload.data",
            "problem": text,
        }
        for name, text in zip(fields, problems, strict=True)
    ]
    return FloworkError(ErrorCode.INVALID_REQUEST, " ".join(problems), details=details)


def _fits(item: WorkflowInput, value: Any) -> bool:
    if item.type == "any":
        return True
    if isinstance(value, bool):
        return item.type == "boolean"
    return isinstance(value, _TYPES[item.type]) or (
        item.type == "integer" and isinstance(value, float) and value.is_integer()
    )


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    return next(_article(name) for name, types in _TYPES.items() if isinstance(value, types))


def _article(kind: InputType) -> str:
    if kind == "any":
        return "given"
    return f"an {kind}" if kind[0] in "aio" else f"a {kind}"
