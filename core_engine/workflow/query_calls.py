"""Calls of JMESPath's functions: arguments that obviously fit are not judged by the library, all others are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from jmespath.functions import Functions
from jmespath.visitor import _Expression

from core_engine.workflow.query_meter import SIZED, Meter, Run

_FUNCTIONS = Functions()
_TYPES: dict[str, frozenset[type]] = {
    "number": frozenset({int, float}),
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "array": frozenset({list}),
    "object": frozenset({dict}),
    "null": frozenset({type(None)}),
    "expref": frozenset({_Expression}),
}


Call = Callable[..., Any]
Fits = Callable[[Any], bool]
Judge = Callable[[list[Any]], Any]


def call_of(name: str, runs: tuple[Run, ...]) -> Run:
    """Return a call of a function with these arguments."""
    spec = _FUNCTIONS.FUNCTION_TABLE.get(name)
    signature: tuple[dict[str, Any], ...] = spec["signature"] if spec else ()
    if spec is None or signature[-1].get("variadic") or len(signature) != len(runs):
        return _library_call(name, runs)
    call, fits = spec["function"], tuple(_fits(argument["types"]) for argument in signature)
    judge = partial(_FUNCTIONS._validate_arguments, signature=signature, function_name=name)  # noqa: SLF001
    return (
        _call_with_one(call, runs[0], fits[0], judge)
        if len(runs) == 1
        else _call_with_several(call, runs, fits, judge)
    )


def _call_with_one(call: Call, run: Run, fits: Fits, judge: Judge) -> Run:
    def function(value: Any, meter: Meter) -> Any:
        argument = run(value, meter)
        if not fits(argument):
            judge([argument])
        found = call(_FUNCTIONS, argument)
        if isinstance(found, SIZED):
            meter.charge(len(found))
        return found

    return function


def _call_with_several(call: Call, runs: tuple[Run, ...], fits: tuple[Fits, ...], judge: Judge) -> Run:
    def function(value: Any, meter: Meter) -> Any:
        given = [run(value, meter) for run in runs]
        for known, argument in zip(fits, given, strict=True):
            if not known(argument):
                judge(given)
        found = call(_FUNCTIONS, *given)
        if isinstance(found, SIZED):
            meter.charge(len(found))
        return found

    return function


def _library_call(name: str, runs: tuple[Run, ...]) -> Run:
    """Leave a call to the library: also one of a function that is not there, or with too many or too few arguments."""

    def call(value: Any, meter: Meter) -> Any:
        found = _FUNCTIONS.call_function(name, [run(value, meter) for run in runs])
        if isinstance(found, SIZED):
            meter.charge(len(found))
        return found

    return call


def _fits(types: list[str]) -> Fits:
    """Return a quick test that is sure of a Yes only; the library judges, and words, the rest."""
    if not types:
        return lambda _argument: True
    plain = frozenset().union(*(_TYPES[name] for name in types if "-" not in name))
    elements = [_TYPES[name.partition("-")[2]] for name in types if "-" in name]
    if not elements:
        return lambda argument: type(argument) in plain
    return _holds(elements[0]) if len(elements) == 1 else _holds_any(elements)


def _holds(known: frozenset[type]) -> Fits:
    def fits(argument: Any) -> bool:
        if type(argument) is not list:
            return False
        for element in argument:  # noqa: SIM110 - a generator would cost more than the rest
            if type(element) not in known:
                return False
        return True

    return fits


def _holds_any(elements: list[frozenset[type]]) -> Fits:
    def fits(argument: Any) -> bool:
        if type(argument) is not list:
            return False
        kinds = set(map(type, argument))
        for known in elements:  # noqa: SIM110 - a generator would cost more than the rest
            if kinds <= known:
                return True
        return False

    return fits
