"""``{{…}}`` in a node's settings: variables, the step's data, other nodes' results (protocol §5.5).

The body is ``vars.NAME`` or a JMESPath query over ``data``, ``payload``, ``nodes``, ``run`` and ``vars``.
JMESPath is total: it has no assignment, no loop and no call into Python, so nothing here evaluates code; how much
work it may make is metered by `core_engine.workflow.queries`. Texts with Jinja2 statements are
`core_engine.workflow.statements`, and are worked out elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from typing_extensions import override

from core_engine.kernel.payload import Payload
from core_engine.workflow.queries import Query, QueryError
from core_engine.workflow.statements import find_statements
from shared.errors import ErrorCode, FloworkError

_OPEN, _CLOSE = "{{", "}}"
_LONGEST = 2000
_MOST_BRACES = 16
_KNOWN_ROOT = re.compile(r"\b(?:vars|data|payload|nodes|run)\b")
_PLAIN_VARIABLE = re.compile(r"vars\.([A-Z0-9_]+)")
_NODE_NAME = re.compile(r"\bnodes\.([^\s.\[\]|\"'(),]+)")
_DATA = frozenset({"data"})
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of a variable; a ``secret`` one is masked in error texts and log lines of the step."""

    value: Any
    secret: bool = False


class Variables(Protocol):
    """The variables of an owner."""

    def get(self, name: str, owner: str) -> Variable | None:
        """Return an enabled variable, or None; called on the event loop, so it must not block."""
        ...


class NoVariables:
    """An engine without variables: every ``{{vars.NAME}}`` stays as it is written."""

    def get(self, name: str, owner: str) -> Variable | None:  # noqa: ARG002 - the interface's
        """Return None."""
        return None


class NodeResults(dict[str, Any]):
    """``nodes`` in a query: looks a node's result up when a query asks for it."""

    def __init__(self, find: Callable[[str], Any]) -> None:
        super().__init__()
        self._find = find

    @override
    def get(self, key: str, default: Any = None) -> Any:
        """Return ``{"data", "history", "outputs"}`` of the node with that id or name, or the default."""
        found = self._find(key)
        return default if found is None else found


@dataclass(slots=True)
class Scope:
    """What the expressions of one step can see; ``secrets`` collects the secret texts they used.

    ``find`` looks a node's result up by its id or name, ``about`` tells of the run.
    """

    payload: Payload
    find: Callable[[str], Any]
    about: Callable[[], Mapping[str, Any]]
    variables: Variables
    owner: str
    secrets: list[str] = field(default_factory=list)

    def variable(self, name: str) -> Variable | None:
        """Look a variable up and remember it when it is secret."""
        found = self.variables.get(name, self.owner)
        if found and found.secret and found.value not in (None, ""):
            self.secrets.append(_as_text(found.value))
        return found

    def root(self, names: tuple[str, ...], seen: frozenset[str] | None = None) -> dict[str, Any]:
        """Return the object that queries search; ``names`` are the variables the query mentions.

        ``seen`` are the members that it can see, None for all of them; others are left out.
        """
        known = {name: found.value for name in names if (found := self.variable(name))} if names else {}
        payload = self.payload
        root: dict[str, Any] = {}
        if seen is None or "data" in seen:
            root["data"] = payload.data
        if seen is None or "payload" in seen:
            root["payload"] = payload.to_wire()
        if seen is None or "nodes" in seen:
            root["nodes"] = NodeResults(self.find)
        if seen is None or "run" in seen:
            root["run"] = self.about()
        if seen is None or "vars" in seen:
            root["vars"] = known
        return root


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One ``{{…}}``: either a plain variable or a compiled query; ``of_data`` when that sees the data and no more."""

    text: str
    variable: str | None
    query: Query | None
    names: tuple[str, ...]
    of_data: bool = False

    def value(self, scope: Scope) -> Any:
        """Evaluate; an unknown variable leaves the placeholder as it is written."""
        if self.query is None:
            found = scope.variable(self.variable or "")
            return found.value if found else self.text
        root = {"data": scope.payload.data} if self.of_data else scope.root(self.names, self.query.roots)
        try:
            return self.query.search(root)
        except QueryError as error:
            raise self.failure(error) from error

    def failure(self, error: QueryError) -> FloworkError:
        """Return what is told of a query that could not be evaluated."""
        return FloworkError(ErrorCode.INVALID_REQUEST, f"The expression {self.text} failed: {error}")


@dataclass(frozen=True, slots=True)
class Template:
    """A text with placeholders; a text that is one placeholder and nothing else keeps the value's type."""

    parts: tuple[str | Placeholder, ...]

    @property
    def whole(self) -> Placeholder | None:
        """The placeholder, where there is nothing else."""
        first = self.parts[0]
        return first if len(self.parts) == 1 and isinstance(first, Placeholder) else None

    def render(self, scope: Scope) -> Any:
        """Return the text with every placeholder replaced."""
        if self.whole:
            return self.whole.value(scope)
        return "".join(part if isinstance(part, str) else _as_text(part.value(scope)) for part in self.parts)


def compile_text(text: str) -> Template | None:
    """Compile a text, or return None when it has no placeholder of ours (then it is taken literally).

    Raises FloworkError INVALID_WORKFLOW for a placeholder that names one of our roots but is no valid query.
    """
    parts: list[str | Placeholder] = []
    done = start = 0
    last = text.rfind(_CLOSE)
    while last > 0 and (start := text.find(_OPEN, start, last)) >= 0:
        end = _find_end(text, start)
        placeholder = _compile_placeholder(text[start:end]) if end else None
        if placeholder is None:
            start += len(_OPEN)
            continue
        parts += (text[done:start], placeholder)
        done = start = end
    parts.append(text[done:])
    kept = tuple(part for part in parts if part)
    return Template(kept) if any(isinstance(part, Placeholder) for part in kept) else None


def _find_end(text: str, start: int) -> int:
    """Return where a placeholder that begins at ``start`` ends, 0 when it does not.

    A query may have braces of its own: the end is the first at which they are even, else simply the first.
    """
    limit = start + _LONGEST
    first = 0
    end = start + len(_OPEN)
    for _ in range(_MOST_BRACES):
        found = text.find(_CLOSE, end, limit)
        if found < 0:
            break
        end = found + len(_CLOSE)
        if text.count("{", start, end) == text.count("}", start, end):
            return end
        first = first or end
        end -= 1  # the next end may overlap: }}}
    return first


def compile_value(value: Any) -> tuple[Any, bool]:
    """Compile every text inside a JSON value; the flag tells whether there was any placeholder or statement."""
    if isinstance(value, str):
        if statements := find_statements(value):
            return statements, True
        template = compile_text(value) if _OPEN in value else None
        return (template, True) if template else (value, False)
    if isinstance(value, Mapping):
        members = {key: compile_value(item) for key, item in value.items()}
        return {key: item for key, (item, _) in members.items()}, any(flag for _, flag in members.values())
    if isinstance(value, list):
        items = [compile_value(item) for item in value]
        return [item for item, _ in items], any(flag for _, flag in items)
    return value, False


def _compile_placeholder(text: str) -> Placeholder | None:
    body = text[2:-2].strip()
    if not _KNOWN_ROOT.search(body):
        return None
    plain = _PLAIN_VARIABLE.fullmatch(body)
    if plain:
        return Placeholder(text, plain[1], None, ())
    try:
        query = Query(_NODE_NAME.sub(_quote_node, body))
    except QueryError as error:
        message = f"The expression {text} is not valid: {error}"
        raise FloworkError(ErrorCode.INVALID_WORKFLOW, message) from error
    names = tuple(dict.fromkeys(match[1] for match in _PLAIN_VARIABLE.finditer(body)))
    return Placeholder(text, None, query, names, of_data=not names and query.roots == _DATA)


def _quote_node(match: re.Match[str]) -> str:
    """Node ids start with digits and have dashes; JMESPath wants such names in quotes."""
    name = match[1]
    return match[0] if _IDENTIFIER.fullmatch(name) else f'nodes."{name}"'


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return msgspec.json.encode(value).decode()
