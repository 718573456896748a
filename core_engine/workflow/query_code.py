"""JMESPath as closures: the answers, refusals and costs of the library's interpreter without walking its tree.

Every kind of node becomes a function of the value it looks at and of the `Meter`. What a node costs whatever it finds
is summed up while it is compiled (`Code.fixed`) and charged by the nearest node that may run several times, or in the
end; only the length of what it finds is charged while it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any, NamedTuple

from jmespath.visitor import TreeInterpreter, _Expression

from core_engine.workflow.query_calls import call_of
from core_engine.workflow.query_meter import SIZED, Meter, Run

Tree = dict[str, Any]

_NUMBERS = frozenset({int, float})
_COMPARATORS: dict[str, Callable[[Any, Any], Any]] = TreeInterpreter.COMPARATOR_FUNC


class Code(NamedTuple):
    """A compiled node; whoever runs it charges ``fixed`` each time."""

    run: Run
    fixed: int


def compile_tree(tree: Tree) -> Code:
    """Compile a parsed query."""
    return _COMPILERS[tree["type"]](tree)


def _children(tree: Tree) -> list[Code]:
    return [compile_tree(child) for child in tree["children"]]


def _charging(code: Code) -> Run:
    """Return a function that charges all of its cost by itself."""
    run, fixed = code

    def charging(value: Any, meter: Meter) -> Any:
        meter.charge(fixed)
        return run(value, meter)

    return charging if fixed else run


def _field(tree: Tree) -> Code:
    name = tree["value"]

    def field(value: Any, _meter: Meter) -> Any:
        try:
            return value.get(name)
        except AttributeError:
            return None

    return Code(field, 1)


def _literal(tree: Tree) -> Code:
    found = tree["value"]
    return Code(lambda _value, _meter: found, 1 + (len(found) if isinstance(found, SIZED) else 0))


def _current(_tree: Tree) -> Code:
    def current(value: Any, meter: Meter) -> Any:
        if isinstance(value, SIZED):
            meter.charge(len(value))
        return value

    return Code(current, 1)


def _chain(tree: Tree) -> Code:
    """Each child looks at what the one before it found."""
    children = _children(tree)
    fixed = 1 + sum(code.fixed for code in children)
    if all(child["type"] == "field" for child in tree["children"]):
        return Code(_path(tuple(child["value"] for child in tree["children"])), fixed)
    runs = tuple(code.run for code in children)

    def chain(value: Any, meter: Meter) -> Any:
        for run in runs:
            value = run(value, meter)
        if isinstance(value, SIZED):
            meter.charge(len(value))
        return value

    return Code(chain, fixed)


def _path(names: tuple[str, ...]) -> Run:
    def path(value: Any, meter: Meter) -> Any:
        try:
            for name in names:
                value = value.get(name)
        except AttributeError:
            return None
        if isinstance(value, SIZED):
            meter.charge(len(value))
        return value

    return path


def _index(tree: Tree) -> Code:
    place = tree["value"]

    def index(value: Any, meter: Meter) -> Any:
        if not isinstance(value, list):
            return None
        try:
            found = value[place]
        except IndexError:
            return None
        if isinstance(found, SIZED):
            meter.charge(len(found))
        return found

    return Code(index, 1)


def _slice(tree: Tree) -> Code:
    part = slice(*tree["children"])

    def cut(value: Any, meter: Meter) -> Any:
        if not isinstance(value, list):
            return None
        found = value[part]
        meter.charge(len(found))
        return found

    return Code(cut, 1)


def _flatten(tree: Tree) -> Code:
    run, fixed = compile_tree(tree["children"][0])

    def flatten(value: Any, meter: Meter) -> Any:
        base = run(value, meter)
        if not isinstance(base, list):
            return None
        merged: list[Any] = []
        for element in base:
            if isinstance(element, list):
                merged.extend(element)
            else:
                merged.append(element)
        meter.charge(len(merged))
        return merged

    return Code(flatten, fixed + 1)


def _projection(tree: Tree) -> Code:
    return _projected(tree, lambda base: base if isinstance(base, list) else None)


def _value_projection(tree: Tree) -> Code:
    def values(base: Any) -> Any:
        try:
            return base.values()
        except AttributeError:
            return None

    return _projected(tree, values)


def _projected(tree: Tree, elements: Callable[[Any], Any]) -> Code:
    (run, fixed), (each, each_fixed) = _children(tree)

    def projection(value: Any, meter: Meter) -> Any:
        base = elements(run(value, meter))
        if base is None:
            return None
        meter.charge(each_fixed * len(base))
        collected = [found for element in base if (found := each(element, meter)) is not None]
        meter.charge(len(collected))
        return collected

    return Code(projection, fixed + 1)


def _filter_projection(tree: Tree) -> Code:
    (run, fixed), right, (holds, holds_fixed) = _children(tree)
    each = _charging(right)

    def projection(value: Any, meter: Meter) -> Any:
        base = run(value, meter)
        if not isinstance(base, list):
            return None
        meter.charge(holds_fixed * len(base))
        collected = []
        for element in base:
            if not _is_false(holds(element, meter)):
                found = each(element, meter)
                if found is not None:
                    collected.append(found)
        meter.charge(len(collected))
        return collected

    return Code(projection, fixed + 1)


def _multi_select_list(tree: Tree) -> Code:
    children = _children(tree)
    runs = tuple(code.run for code in children)
    cost = len(runs) + sum(code.fixed for code in children)

    if len(runs) == 2:  # the most common number, and much quicker without a loop
        one, other = runs

        def pair(value: Any, meter: Meter) -> Any:
            if value is None:
                return None
            meter.left -= cost
            return [one(value, meter), other(value, meter)]

        return Code(pair, 1)

    def select(value: Any, meter: Meter) -> Any:
        if value is None:
            return None
        meter.left -= cost  # whoever runs this often charges something too
        return [run(value, meter) for run in runs]

    return Code(select, 1)


def _multi_select_dict(tree: Tree) -> Code:
    members = tuple((pair["value"], compile_tree(pair["children"][0])) for pair in tree["children"])
    runs = tuple((name, code.run) for name, code in members)
    cost = sum(1 + code.fixed for _, code in members)

    def select(value: Any, meter: Meter) -> Any:
        if value is None:
            return None
        meter.left -= cost
        collected = {}
        for name, run in runs:
            collected[name] = found = run(value, meter)
            if isinstance(found, SIZED):  # a pair of its own in the library
                meter.charge(len(found))
        return collected

    return Code(select, 1)


def _or(tree: Tree) -> Code:
    return _either(tree, wanted=True)


def _and(tree: Tree) -> Code:
    return _either(tree, wanted=False)


def _either(tree: Tree, *, wanted: bool) -> Code:
    """Go on to the second when the first is false (``wanted``), or when it is not."""
    (first, fixed), second = _children(tree)
    other = _charging(second)

    def either(value: Any, meter: Meter) -> Any:
        found = first(value, meter)
        if _is_false(found) is wanted:
            found = other(value, meter)
        if isinstance(found, SIZED):
            meter.charge(len(found))
        return found

    return Code(either, fixed + 1)


def _not(tree: Tree) -> Code:
    run, fixed = compile_tree(tree["children"][0])

    def negation(value: Any, meter: Meter) -> Any:
        found = run(value, meter)
        return False if _is_number(found) and found == 0 else not found

    return Code(negation, fixed + 1)


def _comparator(tree: Tree) -> Code:
    (first, first_fixed), (second, second_fixed) = _children(tree)
    compare, fixed = _COMPARATORS[tree["value"]], first_fixed + second_fixed + 1

    def equality(value: Any, meter: Meter) -> Any:
        return compare(first(value, meter), second(value, meter))

    def order(value: Any, meter: Meter) -> Any:
        left, right = first(value, meter), second(value, meter)
        return compare(left, right) if _has_order(left) and _has_order(right) else None

    return Code(equality if tree["value"] in {"eq", "ne"} else order, fixed)


def _expression_reference(tree: Tree) -> Code:
    run = _charging(compile_tree(tree["children"][0]))
    return Code(lambda _value, meter: _Expression(run, meter), 1)


def _function(tree: Tree) -> Code:
    children = _children(tree)
    run = call_of(tree["value"], tuple(code.run for code in children))
    return Code(run, 1 + sum(code.fixed for code in children))


def _is_false(value: Any) -> bool:
    """Tell what JMESPath takes for false: null, false, and what is empty; zero is not."""
    if value:
        return False
    return value is None or value is False or value in ("", [], {})


def _is_number(value: Any) -> bool:
    return type(value) in _NUMBERS or (isinstance(value, Number) and not isinstance(value, bool))


def _has_order(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


_COMPILERS: dict[str, Callable[[Tree], Code]] = {
    "field": _field,
    "literal": _literal,
    "current": _current,
    "identity": _current,
    "subexpression": _chain,
    "index_expression": _chain,
    "pipe": _chain,
    "index": _index,
    "slice": _slice,
    "flatten": _flatten,
    "projection": _projection,
    "value_projection": _value_projection,
    "filter_projection": _filter_projection,
    "multi_select_list": _multi_select_list,
    "multi_select_dict": _multi_select_dict,
    "or_expression": _or,
    "and_expression": _and,
    "not_expression": _not,
    "comparator": _comparator,
    "expref": _expression_reference,
    "function_expression": _function,
}
