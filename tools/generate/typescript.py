"""gui/src/contract/contract.gen.ts: every message of the contract as TypeScript types."""

from __future__ import annotations

import json
import re
from typing import Any

from shared.contract import catalog
from shared.contract.base import Command, Operation
from shared.contract.session_keys import WALLET_COMMANDS, session_scope
from shared.errors import ErrorCode
from tools.generate._schemas import Schemas

FILENAME = "gui/src/contract/contract.gen.ts"
_HEAD = "// Generated from shared/contract by `make generate`; changes here are lost.\n"
_SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_WORD = re.compile(r"[A-Za-z_$][\w$]*")


def make() -> str:
    """Return the module's text."""
    incoming, outgoing = Schemas(), Schemas()
    commands = [
        f"  {name}: {{ request: {_of(incoming.of(model, incoming=True))}; reply: {_of(outgoing.of(model.reply))}; "
        f'role: "{model.role.name.lower()}" }};'
        for name, model in catalog.commands().items()
    ]
    events = [f'  "{name}": {_of(outgoing.of(model))};' for name, model in catalog.events().items()]
    operations = [_operation(item, incoming, outgoing) for item in catalog.operations().values()]
    definitions = outgoing.definitions | {
        name: schema for name, schema in incoming.definitions.items() if name not in outgoing.definitions
    }
    types = [f"export type {_name(name)} = {_of(schema)};" for name, schema in sorted(definitions.items())]
    codes = " | ".join(f'"{code}"' for code in ErrorCode)
    parts = [
        _HEAD,
        f"export type ErrorCode = {codes};\n",
        "\n".join(types) + "\n",
        "export interface Commands {\n" + "\n".join(commands) + "\n}\n",
        "export interface Events {\n" + "\n".join(events) + "\n}\n",
        "export interface Operations {\n" + "\n".join(operations) + "\n}\n",
        "export const REPLIES = {\n"
        + "\n".join(_reply(*item) for item in catalog.commands().items())
        + "\n} as const;\n",
        "export const RELAYED: Record<string, keyof Events> = {\n" + _relayed() + "\n};\n",
        "export const OPERATIONS = {\n"
        + "\n".join(map(_call, catalog.operations().values()))
        + "\n} as const;\n",
        "/** What a session key may not send: the wallet itself is asked. */\n"
        "export const WALLET_COMMANDS: ReadonlySet<string> = new Set([\n"
        + "\n".join(f'  "{name}",' for name in sorted(WALLET_COMMANDS))
        + "\n]);\n",
    ]
    return "\n".join(parts)


def _operation(operation: Operation, incoming: Schemas, outgoing: Schemas) -> str:
    body = _of(incoming.of(operation.body, incoming=True)) if operation.body else "undefined"
    response = "Blob" if operation.response is bytes else _of(outgoing.of(operation.response))
    names = re.findall(r"\{(\w+)\}", operation.path)
    path = "{ " + "; ".join(f"{name}: string" for name in names) + " }" if names else "undefined"
    return f"  {operation.name}: {{ path: {path}; body: {body}; response: {response} }};"


def _reply(name: str, model: type[Command]) -> str:
    return f'  {name}: "{getattr(model.reply, "name", model.reply.__name__)}",'


def _relayed() -> str:
    """Return the Socket.IO names of events with their names on the raw socket; the first of two wins."""
    names: dict[str, str] = {}
    for name, model in catalog.events().items():
        names.setdefault(model.relay, name)
    return "\n".join(f"  {json.dumps(relay)}: {json.dumps(name)}," for relay, name in sorted(names.items()))


def _call(operation: Operation) -> str:
    session = "true" if session_scope(operation) else "false"
    facts = f'method: "{operation.method}", path: "{operation.path}", auth: "{operation.auth}", session: {session}'
    return f"  {operation.name}: {{ {facts} }},"


def _of(schema: dict[str, Any]) -> str:
    """Return a JSON Schema as a TypeScript type."""
    if "$ref" in schema:
        return _name(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    for key, sign in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if key in schema:
            return "(" + sign.join(dict.fromkeys(_of(part) for part in schema[key])) + ")"
    kind = str(schema.get("type"))
    made = {"array": _array, "object": _object}.get(kind)
    return made(schema) if made else _SIMPLE.get(kind, "unknown")


def _array(schema: dict[str, Any]) -> str:
    if "prefixItems" in schema:
        return "[" + ", ".join(_of(part) for part in schema["prefixItems"]) + "]"
    return f"({_of(schema['items'])})[]" if "items" in schema else "unknown[]"


def _object(schema: dict[str, Any]) -> str:
    properties = schema.get("properties")
    if not properties:
        extra = schema.get("additionalProperties")
        return f"Record<string, {_of(extra) if isinstance(extra, dict) else 'unknown'}>"
    required = set(schema.get("required", ()))
    members = []
    for name, part in properties.items():
        key = name if _WORD.fullmatch(name) else json.dumps(name)
        members.append(f"  {key}{'' if name in required else '?'}: {_of(part)};")
    return "{\n" + "\n".join(members) + "\n}"


def _name(name: str) -> str:
    return re.sub(r"\W", "_", name)
