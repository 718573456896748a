"""Compares the answers of a gateway with the document of its contract."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from shared.contract import catalog
from shared.contract.proxy import EngineOperation

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
API = "/api/v1"
# Of the transport, for every operation: a host name that is not ours, and a path that is not in normal form.
ANYWHERE = {"400", "404", "413"}


def check(method: str, target: str, answer: httpx.Response, *, scripted_engine: bool = False) -> None:
    """Assert that an operation's answer has a documented status and the documented shape.

    What an engine answers that a test made up is judged by its status only.
    """
    operation = find(method, target.partition("?")[0])
    if operation is None or answer.status_code == 304:
        return
    status = str(answer.status_code)
    told = operation["responses"].get(status)
    name = operation["operationId"]
    assert told is not None or status in ANYWHERE, (
        f"{name} answers {status}, which is not documented: {answer.text}"
    )
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if scripted_engine and answer.is_success and isinstance(catalog.operations()[name], EngineOperation):
        return
    if told is None or kind != "application/json" or not answer.content:
        return
    assert kind in told["content"], f"{name} {status}: {kind} is not documented"
    problems = [error.message for error in validator(name, status).iter_errors(answer.json())]
    assert not problems, f"{name} {status}: {problems[:3]}"


def find(method: str, path: str) -> dict[str, Any] | None:
    """Return the operation of a request, the one with the fewest parameters where several fit."""
    fitting = [
        (len(names), operations[method.lower()])
        for pattern, names, operations in paths()
        if method.lower() in operations and pattern.fullmatch(path)
    ]
    return min(fitting, key=lambda each: each[0])[1] if fitting else None


@functools.cache
def document() -> dict[str, Any]:
    return json.loads(DOCUMENT.read_text())


@functools.cache
def paths() -> list[tuple[re.Pattern[str], list[str], dict[str, Any]]]:
    found = []
    for path, operations in document()["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        pattern = "[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", API + path))
        found.append((re.compile(pattern), names, operations))
    return found


@functools.cache
def validator(name: str, status: str) -> Draft202012Validator:
    """Return what judges an operation's answers of a status."""
    path, method = next(
        (path, method)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] == name
    )
    steps = ["paths", path, method, "responses", status, "content", "application/json", "schema"]
    pointer = "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in steps)
    contract = Resource.from_contents(document(), default_specification=DRAFT202012)
    registry: Any = Registry().with_resource("urn:contract", contract)
    return Draft202012Validator({"$ref": f"urn:contract#/{pointer}"}, registry=registry)
