"""Jinja2 statements (``{% for … %}``, ``{% if … %}``) in a node's settings (protocol §5.5).

A text that holds one is a Jinja2 template as a whole. It is parsed here, which runs nothing of it, and rendered in a
locked process with the limits of the Template component, because a loop may take long or much memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.errors import ErrorCode, FloworkError

if TYPE_CHECKING:
    from core_engine.workflow.expressions import Scope

LONGEST = 20_000
_ROOTS = ("data", "payload", "nodes", "run", "vars")
_BY_NAME = frozenset({"nodes", "vars"})
_FIRST = re.compile(r"\{%[-+]?\s*(?:for|if|set|with|filter|macro|call|raw)\b")


@dataclass(frozen=True, slots=True)
class Statements:
    """A text with statements: what it mentions of the roots, the variables and the earlier nodes."""

    text: str
    roots: frozenset[str]
    variables: tuple[str, ...]
    nodes: tuple[str, ...]

    def values(self, scope: Scope) -> dict[str, Any]:
        """Return what the template can see; variables and nodes that are not there are left out."""
        found = scope.root(self.variables)
        results = {name: scope.find(name) for name in self.nodes}
        found["nodes"] = {name: result for name, result in results.items() if result is not None}
        return {name: found[name] for name in _ROOTS if name in self.roots}


def find_statements(text: str) -> Statements | None:
    """Return the template that a text is, None for one without statements.

    Raises FloworkError INVALID_WORKFLOW where it is no valid one.
    """
    if "%}" not in text or not _FIRST.search(text):
        return None
    if len(text) > LONGEST:
        raise _invalid(f"it has {len(text)} characters, of {LONGEST}; the component Template takes more")
    mentioned: dict[str, dict[str, None]] = {name: {} for name in _BY_NAME}
    roots = _read(text, mentioned)
    return Statements(text, roots, tuple(mentioned["vars"]), tuple(mentioned["nodes"]))


def statements_in(value: Any) -> Iterator[Statements]:
    """Yield every template inside compiled settings."""
    if isinstance(value, Statements):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from statements_in(item)


def replaced(value: Any, texts: Callable[[Statements], str]) -> Any:
    """Return compiled settings with a text in place of every template."""
    if isinstance(value, Statements):
        return texts(value)
    if isinstance(value, dict):
        return {key: replaced(item, texts) for key, item in value.items()}
    return [replaced(item, texts) for item in value] if isinstance(value, list) else value


def _read(text: str, mentioned: dict[str, dict[str, None]]) -> frozenset[str]:
    from jinja2 import TemplateSyntaxError, meta, nodes  # noqa: PLC0415 - heavy, only where used
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    try:
        tree = ImmutableSandboxedEnvironment().parse(text)
        roots = frozenset(meta.find_undeclared_variables(tree))
        named = 0
        for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
            name = _name_of(node, nodes)
            root = node.node if isinstance(node, nodes.Getattr | nodes.Getitem) else None
            if name and isinstance(root, nodes.Name) and root.name in _BY_NAME:
                mentioned[root.name][name] = None
                named += 1
        bare = sum(name.name in _BY_NAME for name in tree.find_all(nodes.Name)) - named
    except TemplateSyntaxError as error:
        raise _invalid(f"line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise _invalid("it is nested too deeply") from error
    if bare:
        raise _invalid('a variable or a node must be named, like vars.CITY or nodes["Fetch page"]')
    return roots


def _name_of(node: Any, nodes: Any) -> str | None:
    if isinstance(node, nodes.Getattr):
        return str(node.attr)
    if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return node.arg.value
    return None


def _invalid(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.INVALID_WORKFLOW, f"The template in this text is not valid: {problem}.")
