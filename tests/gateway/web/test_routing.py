"""The contract and the routes are the same set, and no route is open by accident."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest

from gateway import resources
from gateway.context import Context
from gateway.web.routing import Route, find_routes, route
from shared.contract import catalog
from shared.contract.base import Auth, Operation
from shared.contract.system import HEALTH, Health
from tests.gateway.support import Gateway

OPEN = (Path(__file__).parent.parent / "auth" / "open_routes.txt").read_text().splitlines()
OPERATIONS = list(catalog.operations().values())


def context() -> Context:
    parts: Any = None
    return Context(
        clock=parts, database=parts, sessions=parts, presence=parts, links=parts, gui=parts, answers=parts,
        share_tokens=parts, admins=parts, billing=MagicMock(), names=parts, tracing=parts,
    )  # fmt: skip


def test_every_operation_has_one_route_and_every_route_one_operation() -> None:
    found = [item.operation.name for item in find_routes(resources, context())]
    assert sorted(found) == sorted(catalog.operations())


def test_only_listed_operations_need_no_proof() -> None:
    unproven = sorted(f"{item.method} {item.path}" for item in OPERATIONS if item.auth is Auth.NONE)
    assert unproven == OPEN
    assert len(unproven) <= 12


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_no_route_answers_without_proof(local: Gateway, operation: Operation, method: str) -> None:
    path = operation.path.replace("{engine_id}", str(uuid.uuid4()))
    answer = local.send(method, f"/api/v1{path}", b"{}" if method in {"POST", "PUT", "PATCH"} else b"")
    listed = f"{'GET' if method == 'HEAD' else method} {operation.path}" in OPEN
    assert listed or answer.status_code in {401, 405}


@pytest.mark.parametrize("name", ["health", "login", "ready", "metrics", "static", "index.html"])
def test_a_name_that_sounds_public_opens_nothing(local: Gateway, name: str) -> None:
    assert local.send("DELETE", f"/api/v1/user/engines/{name}").status_code == 401
    assert local.send("GET", f"/api/v1/user/engines/{name}").status_code in {404, 405}
    assert local.send("GET", f"/api/v1/user/engines/x/{name}").status_code == 404


def test_a_handler_has_to_take_what_its_operation_has(monkeypatch: pytest.MonkeyPatch) -> None:
    class Routes:
        def __init__(self, _context: Context) -> None:
            pass

        @route(HEALTH)
        def health(self, caller: str) -> Health:
            raise AssertionError(caller)

    package, module = ModuleType("fake"), ModuleType("fake.system.routes")
    package.__path__ = resources.__path__
    module.Routes = Routes
    monkeypatch.setattr("gateway.web.routing.importlib.import_module", lambda _name: module)
    with pytest.raises(TypeError, match="health: its handler takes"):
        find_routes(package, context())


def test_a_path_parameter_becomes_a_rule() -> None:
    operation = catalog.operations()["delete_engine"]
    assert Route(operation, print).rule == "/api/v1/user/engines/<engine_id>"
