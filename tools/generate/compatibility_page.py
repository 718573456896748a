"""docs/compatibility.md: what of the published protocol is answered, what is ours beside it, and where it is tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shared.contract import catalog
from shared.contract.base import Command, Event, Operation
from tools.generate import _documented as documented

FILENAME = "docs/compatibility.md"

_TESTS = Path(__file__).resolve().parents[2] / "tests" / "core_engine"
_MOST_TESTS = 3
_OF_ALL = frozenset({"type", "request_id"})
_WORD = re.compile(r"\w+")
_TEXT = re.compile(r"""["'](\w+)["']""")

_HEAD = """# Compatibility

Generated from the contract. *Documented* names belong to the published protocol and keep its fields; *ours* are
additions beside it. The tests (below `tests/core_engine`, at most three are named) speak of the message by its name,
those of a field of both. An answer is tried by the tests of its commands too.
The relay maps all of them by the same declarations (`tests/e2e/test_gui_relay.py`, `tests/core_engine/gateway_link`).
Where a command cannot be carried out the answer is one `error` event; on the relay also the documented answer, with
`error` in it, where there is one.

## Commands (raw socket and relay)

| type | | role | answer | tests |
|---|---|---|---|---|
"""
_EVENTS = """
## Events

| raw socket | | relay | who receives it | tests |
|---|---|---|---|---|
"""
_FIELDS = """
## Fields

Every message has a `type`; `request_id` is echoed in the answer, and `job_id` may stand in every command.

| message | field | | test |
|---|---|---|---|
"""
_REST = """
## REST (below `/api/v1`, tried in `tests/gateway/resources`)

| method, path | | proof | what it does |
|---|---|---|---|
"""
_NOT_YET = """
## Documented but not answered

Refused with a clear answer, on purpose:

- `POST /auth/register` and `POST /auth/login`: an identity is a wallet key (501).
- `POST /marketplace/component/install`: components are installed by the commands `install_component` and
  `uninstall_component`, which carry the owner's signature.
- `POST /proxy/execution/run_module`: the catch-all passes on what engines declare, nothing else (404).

Not there at all:

- Agent sessions, capsules, episodes, cluster peers, training, data sets and local models, licences and password users.
"""


def make() -> str:
    """Return the page; a documented name that the contract lacks is listed at its end."""
    parts = [_HEAD, *_commands(), _EVENTS, *_events(), _FIELDS, *_fields(), _REST, *_operations()]
    return "".join([*parts, _NOT_YET, *_missing()])


def where_tried(model: type[Command | Event], field: str | None = None) -> list[str]:
    """Return the test files that speak of a message, and of its field where one is given."""
    names = {(model.name, model.__name__)}
    if issubclass(model, Event):
        commands = catalog.commands().values()
        names |= {(item.name, item.__name__) for item in commands if item.reply is model}
    return [
        file
        for file, (words, texts) in _sources().items()
        if (field is None or field in words) and any(name in texts or kind in words for name, kind in names)
    ]


@cache
def _sources() -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return the words of every test file, and those of them that stand in quotes."""
    texts = {
        path.relative_to(_TESTS).as_posix(): path.read_text() for path in sorted(_TESTS.rglob("test_*.py"))
    }
    return {
        name: (frozenset(_WORD.findall(text)), frozenset(_TEXT.findall(text))) for name, text in texts.items()
    }


def _named(files: list[str], most: int = _MOST_TESTS) -> str:
    return ", ".join(f"`{file}`" for file in files[:most])


def _commands() -> Iterator[str]:
    for name, model in catalog.commands().items():
        place = f"{_kind(model)} | {model.role.name.lower()} | `{_reply(model)}`"
        yield f"| `{name}` | {place} | {_named(where_tried(model))} |\n"


def _events() -> Iterator[str]:
    for name, model in catalog.events().items():
        place = f"{_kind(model)} | `{model.relay}` | {model.audience.value}"
        yield f"| `{name}` | {place} | {_named(where_tried(model))} |\n"


def _fields() -> Iterator[str]:
    for model, field in fields():
        kind = "documented" if field in documented.FIELDS.get(model.name, ()) else "ours"
        yield f"| `{model.name}` | `{field}` | {kind} | {_named(where_tried(model, field), 1)} |\n"


def fields() -> Iterator[tuple[type[Command | Event], str]]:
    """Yield every message with each of its own fields, as they are called on the wire."""
    models: list[type[Command | Event]] = [*catalog.commands().values(), *catalog.events().values()]
    for model in models:
        for name, info in model.model_fields.items():
            field = info.alias or name
            known = field in documented.FIELDS.get(model.name, ())
            if field not in _OF_ALL and (known or field != "job_id" or issubclass(model, Event)):
                yield model, field


def _operations() -> Iterator[str]:
    for item in sorted(catalog.operations().values(), key=lambda item: (item.path, item.method)):
        kind = "documented" if _place(item) in documented.OPERATIONS else "ours"
        yield f"| `{item.method} {item.path}` | {kind} | {item.auth.value} | {item.summary} |\n"


def _missing() -> Iterator[str]:
    known = catalog.commands().keys() | catalog.events().keys()
    for name in sorted((documented.COMMANDS | documented.EVENTS) - known):
        yield f"- `{name}`\n"
    named = {(model.name, field) for model, field in fields()}
    for name, wanted in sorted(documented.FIELDS.items()):
        for field in sorted(wanted):
            if (name, field) not in named:
                yield f"- `{field}` of `{name}`\n"
    places = {_place(item) for item in catalog.operations().values()}
    for place in sorted(documented.OPERATIONS - places):
        yield f"- `{place}`\n"


def _place(operation: Operation) -> str:
    return f"{operation.method} {re.sub(r'{[a-z_]+}', '{}', operation.path)}"


def _reply(model: type[Command]) -> str:
    return str(getattr(model.reply, "name", model.reply.__name__))


def _kind(model: type[Command | Event]) -> str:
    return "documented" if model.name in documented.COMMANDS | documented.EVENTS else "ours"
