"""docs/asyncapi.json: the engine's raw WebSocket as AsyncAPI 3.0."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from shared.contract import catalog
from shared.contract.base import Command, Event
from shared.contract.envelope import EnvelopeAuth
from tools.generate._schemas import Schemas

FILENAME = "docs/asyncapi.json"


def make() -> str:
    """Return the document as JSON text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """Return the document as a JSON value."""
    schemas = Schemas()
    auth = schemas.of(EnvelopeAuth, incoming=True)
    messages = {name: _command(name, model, schemas, auth) for name, model in catalog.commands().items()}
    messages |= {name: _event(name, model, schemas) for name, model in catalog.events().items()}
    channel = {
        "address": "/",
        "description": "The engine's raw WebSocket; JSON text frames. A wrong engineId closes with 1008.",
        "bindings": {"ws": {"query": {"type": "object", "properties": _query(), "required": ["engineId"]}}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Flowork engine", "version": version("flowork")},
        "channels": {"engine": channel},
        "operations": _operations(),
        "components": {"messages": messages, "schemas": schemas.sorted()},
    }


def _query() -> dict[str, Any]:
    return {
        "engineId": {"type": "string"},
        "frames": {"enum": ["batch"], "description": "Several frames may travel as one batch message."},
    }


def _command(name: str, model: type[Command], schemas: Schemas, auth: dict[str, Any]) -> dict[str, Any]:
    payload = {
        "allOf": [
            schemas.of(model, incoming=True),
            {"type": "object", "required": ["type"], "properties": {"type": {"const": name}}},
        ]
    }
    return {
        "name": name,
        "summary": (model.__doc__ or "").split("\n")[0],
        "x-role": model.role.name.lower(),
        "x-reply": model.reply.__name__,
        "payload": {
            "type": "object",
            "required": ["auth", "payload"],
            "properties": {"auth": auth, "payload": payload},
        },
    }


def _event(name: str, model: type[Event], schemas: Schemas) -> dict[str, Any]:
    return {
        "name": name,
        "summary": (model.__doc__ or "").split("\n")[0],
        "x-relay-name": model.relay,
        "x-audience": model.audience.value,
        "payload": schemas.of(model),
    }


def _operations() -> dict[str, Any]:
    channel = {"$ref": "#/channels/engine"}
    operations: dict[str, Any] = {}
    for name, model in catalog.commands().items():
        reply = str(getattr(model.reply, "name", model.reply.__name__))
        operations[name] = {
            "action": "receive",
            "channel": channel,
            "messages": [{"$ref": f"#/channels/engine/messages/{name}"}],
            "reply": {"channel": channel, "messages": [{"$ref": f"#/channels/engine/messages/{reply}"}]},
        }
    for name in catalog.events():
        message = {"$ref": f"#/channels/engine/messages/{name}"}
        operations[f"send_{name}"] = {"action": "send", "channel": channel, "messages": [message]}
    return operations
