"""Finds the places of a source file where a small fault can be put, and what the fault is."""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

_SWAPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ORDERING = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EXTREMES = {"min": "max", "max": "min"}
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: the bytes from ``start`` to ``end`` of a file give way to ``text``.

    ``where`` is the function or class around it, ``nth`` tells equal faults of one place apart, from 1 on. ``lines``
    are those of the statement that it is in, without what is nested in that.
    """

    where: str
    line: int
    lines: range
    start: int
    end: int
    text: str
    before: str
    after: str
    nth: int = 1

    @property
    def key(self) -> str:
        """What names the fault as long as the code around it stays the same."""
        number = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.where}: {self.before} -> {self.after}{number}"

    def put_into(self, source: bytes) -> bytes:
        """Return the source with the fault."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants(source: bytes) -> list[Mutant]:
    """Return all faults for a source file; texts, annotations, decorators and log lines have none."""
    return _Finder(source).found()


class Place(NamedTuple):
    """Where the walk is: names of the functions and classes around, and the lines of the statement."""

    scope: tuple[str, ...]
    lines: range


class _Finder:
    def __init__(self, source: bytes) -> None:
        self._tree = ast.parse(source)
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def found(self) -> list[Mutant]:
        """Return the faults in the order of the file, numbered where they read the same."""
        seen: Counter[str] = Counter()
        numbered = []
        for mutant in self._walk(self._tree, self._tree, Place((), range(0))):
            seen[mutant.key] += 1
            numbered.append(replace(mutant, nth=seen[mutant.key]))
        return numbered

    def _walk(self, node: ast.AST, parent: ast.AST, place: Place) -> Iterator[Mutant]:
        if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom) or _is_log_line(node):
            return
        if isinstance(node, ast.stmt):
            place = Place(place.scope, _own_lines(node))
        for target, changed in _changes(node):
            yield self._mutant(target, changed, parent, place)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            place = Place((*place.scope, node.name), place.lines)
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "decorator_list"}:
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from self._walk(child, node, place)

    def _mutant(self, node: ast.AST, changed: ast.AST, parent: ast.AST, place: Place) -> Mutant:
        assert isinstance(node, ast.expr | ast.stmt)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        text = ast.unparse(changed)
        before, after = _told(node, changed, parent)
        return Mutant(
            where=".".join(place.scope) or "module",
            line=node.lineno,
            lines=place.lines,
            start=self._starts[node.lineno - 1] + node.col_offset,
            end=self._starts[node.end_lineno - 1] + node.end_col_offset,
            text=f"({text})" if isinstance(node, ast.expr) else text,
            before=before,
            after=after,
        )


def _own_lines(node: ast.stmt) -> range:
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return range(node.lineno, max(last, node.lineno) + 1)


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Return what may stand in a node's place, or in the place of its condition."""
    match node:
        case ast.If() | ast.While() | ast.IfExp():
            yield from ((node.test, test) for test in _negated(node.test))
        case ast.comprehension():
            yield from ((condition, test) for condition in node.ifs for test in _negated(condition))
        case ast.expr():
            yield from ((node, changed) for changed in _of_expression(node))
        case ast.stmt():
            yield from ((node, changed) for changed in _of_statement(node))


def _of_expression(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                changed = copy.deepcopy(node)
                changed.ops[index] = _SWAPPED[type(operator)]()
                yield changed
        case ast.BoolOp():
            other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield ast.BoolOp(other, node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp():
            yield from _of_operation(node)
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() as number):
            yield ast.Constant(number + 1)
            yield ast.Constant(number - 1)
        case ast.Call(func=ast.Name(id=name)) if name in _EXTREMES:
            yield ast.Call(ast.Name(_EXTREMES[name]), node.args, node.keywords)


def _of_operation(node: ast.BinOp) -> Iterator[ast.expr]:
    match node.op:
        case ast.Add():
            yield ast.BinOp(node.left, ast.Sub(), node.right)
        case ast.Sub():
            yield ast.BinOp(node.left, ast.Add(), node.right)
        case ast.BitOr():
            yield node.left
            yield node.right
        case ast.BitAnd():
            yield node.left


def _of_statement(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Return(value=ast.expr() as value) if not _is_nothing(value):
            yield ast.Return(ast.Constant(None))
        case ast.Raise() | ast.AugAssign() | ast.Delete() | ast.Break() | ast.Continue():
            yield ast.Pass()
        case ast.Expr(value=ast.Call() | ast.Await()):
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()


def _negated(test: ast.expr) -> Iterator[ast.expr]:
    """Return the opposite of a condition, unless it is among the other faults anyway."""
    if isinstance(test, ast.Compare) and not isinstance(test.ops[0], _ORDERING) and len(test.ops) == 1:
        return
    if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
        yield ast.UnaryOp(ast.Not(), test)


def _told(node: ast.AST, changed: ast.AST, parent: ast.AST) -> tuple[str, str]:
    """Return what is shown: a number says little without what is done with it."""
    if not (isinstance(node, ast.Constant) and isinstance(changed, ast.Constant) and _is_short(parent)):
        return _shown(node), _shown(changed)
    before, value = _shown(parent), node.value
    node.value = changed.value
    after = _shown(parent)
    node.value = value
    return before, after


def _is_short(node: ast.AST) -> bool:
    is_part = isinstance(
        node, ast.expr | ast.Assign | ast.AnnAssign | ast.keyword | ast.Return | ast.arguments
    )
    return is_part and len(ast.unparse(node)) <= _SHOWN


def _shown(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:_SHOWN]


def _is_nothing(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and (value.value is None or value.value is False)


def _is_log_line(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="_log")))):
            return True
    return False
