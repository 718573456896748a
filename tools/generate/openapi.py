"""docs/openapi.json: the REST API of the gateway as OpenAPI 3.1."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from typing import Any

from pydantic import TypeAdapter

from shared.contract import catalog
from shared.contract.base import Auth, Operation
from shared.errors import ERROR_TABLE, ErrorCode
from tools.generate._schemas import Schemas

FILENAME = "docs/openapi.json"

_SECURITY: dict[Auth, list[dict[str, list[str]]]] = {
    Auth.NONE: [],
    Auth.WALLET: [{"address": [], "message": [], "signature": []}],
    Auth.ENGINE: [{"engineId": [], "engineToken": []}],
    Auth.SERVICE: [{"serviceSecret": []}],
    Auth.MACHINE: [{"engineId": [], "engineToken": []}, {"serviceSecret": []}],
}
_HEADERS = {
    "address": ("X-User-Address", "The wallet address that signs."),
    "message": (
        "X-Signed-Message",
        (
            "`flowork_api|<address>|<METHOD>|<path?query>|<unix ms>|<nonce hex>|<sha256 of the body>` (bound), "
            "or `flowork_api_auth|<address>|<unix seconds>` (documented)."
        ),
    ),
    "signature": (
        "X-Signature",
        "EIP-191 signature of the message: 0x and 130 hex digits, low s, v 27 or 28.",
    ),
    "engineId": ("X-Engine-Id", "The engine's id."),
    "engineToken": ("X-Engine-Token", "The engine's token."),
    "serviceSecret": ("X-API-Key", "The secret shared by gateway and engine."),
}
_RETRY_AFTER = {"description": "Seconds to wait before asking again.", "schema": {"type": "integer"}}
_ALWAYS = (ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL, ErrorCode.BUSY)
_PROOF = (ErrorCode.UNAUTHENTICATED, ErrorCode.BAD_SIGNATURE, ErrorCode.STALE)
_ERROR = {
    "type": "object",
    "title": "Error",
    "required": ["error", "code"],
    "properties": {
        "error": {"type": "string"},
        "code": {"enum": [code.value for code in ErrorCode]},
        "details": {},
        "incident": {"type": "string"},
    },
}


def make() -> str:
    """Return the document as JSON text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def document() -> dict[str, Any]:
    """Return the document as a JSON value."""
    schemas = Schemas()
    paths: dict[str, Any] = {}
    for operation in catalog.operations().values():
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = _operation(operation, schemas)
    schemes = {
        name: {"type": "apiKey", "in": "header", "name": header, "description": text}
        for name, (header, text) in _HEADERS.items()
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Flowork gateway", "version": version("flowork")},
        "servers": [{"url": "/api/v1"}],
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": schemas.sorted() | {"Error": _ERROR}, "securitySchemes": schemes},
    }


def _operation(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    result: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": _SECURITY[operation.auth],
    }
    parameters = _parameters(operation)
    if parameters:
        result["parameters"] = parameters
    if operation.body:
        schema = schemas.of(operation.body, incoming=True)
        result["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    result["responses"] = _responses(operation, schemas)
    return result


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    query = TypeAdapter(operation.query).json_schema() if operation.query else {}
    required = query.get("required", [])
    for name, schema in query.get("properties", {}).items():
        found.append({"name": name, "in": "query", "required": name in required, "schema": schema})
    return found


def _responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    codes = [ErrorCode(name) for name in operation.errors] + list(_ALWAYS)
    if operation.auth is not Auth.NONE:
        codes += _PROOF
    if operation.auth is Auth.WALLET:
        codes.append(ErrorCode.REPLAYED)  # a bound signature counts once, whatever it is for
        codes.append(ErrorCode.FORBIDDEN)  # a wallet's session key may not do everything that the wallet may
    if operation.method != "GET":
        codes += [ErrorCode.INVALID_REQUEST, ErrorCode.TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA]
    by_status: dict[int, list[ErrorCode]] = {}
    for code in sorted(set(codes)):
        by_status.setdefault(ERROR_TABLE[code].http, []).append(code)
    for status in operation.failing:
        by_status.setdefault(status, []).append(ErrorCode.INTERNAL)
    responses: dict[str, Any] = {}
    if ErrorCode.NOT_IMPLEMENTED not in codes:
        content = {operation.media: {"schema": schemas.of(operation.response)}}
        for status in (operation.status, *operation.also):
            responses[str(status)] = {"description": "Success", "content": content}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, meanings in sorted(by_status.items()):
        answer: dict[str, Any] = {"description": ", ".join(meanings), "content": error}
        if any(ERROR_TABLE[code].retryable for code in meanings):
            answer["headers"] = {"Retry-After": _RETRY_AFTER}
        responses[str(status)] = answer
    return responses
