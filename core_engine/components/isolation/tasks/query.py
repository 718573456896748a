"""Evaluates a JMESPath query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jmespath


def run(request: dict[str, Any], log: Callable[..., None]) -> Any:  # noqa: ARG001 - the shape of every task
    """Return what ``query`` finds in ``data``; nothing found is null."""
    return jmespath.search(request["query"], request["data"])


def explain(error: BaseException) -> str:
    """Return what is wrong with the query."""
    return f"the query: {error}"
