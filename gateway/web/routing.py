"""How functions become REST operations: marked with `route`, found by walking the package of resources."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

from gateway.context import Context
from gateway.web.engine_proxy import EngineProxy
from shared.contract import catalog
from shared.contract.base import Auth, Operation
from shared.contract.proxy import EngineOperation
from shared.errors import ErrorCode, FloworkError

Function = TypeVar("Function", bound=Callable[..., Any])

_MARK = "__flowork_operation__"
_PARAMETER = re.compile(r"\{(\w+)\}")


class StatusError(FloworkError):
    """An error whose documented HTTP status differs from that of its code."""

    def __init__(self, status: int, code: ErrorCode, message: str) -> None:
        super().__init__(code, message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Route:
    """An operation and what answers it.

    The handler takes, by name: ``caller`` (unless the operation needs no proof; the wallet's address in lower case,
    or the engine's id), ``body`` and ``query`` (if the operation has them) and the parameters of its path. It may
    give back a whole `Response` where its answer is not JSON.
    """

    operation: Operation
    handler: Callable[..., Any]

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return "/api/v1" + _PARAMETER.sub(r"<\1>", self.operation.path)


def route(operation: Operation) -> Callable[[Function], Function]:
    """Mark the method of a ``Routes`` class that answers an operation of the contract."""

    def mark(function: Function) -> Function:
        setattr(function, _MARK, operation)
        return function

    return mark


def find_routes(package: ModuleType, context: Context) -> list[Route]:
    """Return what the ``routes`` modules of a package's packages answer, in sorted order.

    Raises TypeError where a handler does not take what its operation has.
    """
    routes: list[Route] = []
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        module = importlib.import_module(f"{package.__name__}.{name}.routes")
        resource = module.Routes(context)
        for _, method in inspect.getmembers(resource, inspect.ismethod):
            operation = getattr(method, _MARK, None)
            if isinstance(operation, Operation):
                routes.append(_checked(Route(operation, method)))
    return routes + passed_on(context)


def passed_on(context: Context) -> list[Route]:
    """Return a route for every operation that engines answer; its handler takes the caller and the body's bytes."""
    proxy = EngineProxy(context)
    operations = (item for item in catalog.operations().values() if isinstance(item, EngineOperation))
    return [Route(operation, partial(proxy.answer, operation)) for operation in operations]


def _checked(found: Route) -> Route:
    operation = found.operation
    wanted = set(_PARAMETER.findall(operation.path))
    wanted |= {"caller"} if operation.auth in {Auth.WALLET, Auth.ENGINE} else set()
    wanted |= {"body"} if operation.body else set()
    wanted |= {"query"} if operation.query else set()
    taken = set(inspect.signature(found.handler).parameters)
    if wanted != taken:
        raise TypeError(f"{operation.name}: its handler takes {sorted(taken)}, it has {sorted(wanted)}")
    return found
