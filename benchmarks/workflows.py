"""The workflows that are run: chains of steps that each add one to a number."""

from __future__ import annotations

from typing import Any

ADD_ONE = {"fields": [{"name": "n", "value": "{{ sum([data.n, `1`]) }}"}]}


def chain(
    length: int, *, module: str = "set_fields", settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a workflow of so many steps, one after the other."""
    given = ADD_ONE if settings is None else settings
    nodes = [
        {"id": f"n{place}", "name": f"Step {place}", "module_id": module, "config_values": given}
        for place in range(length)
    ]
    connections = [
        {
            "id": f"e{place}", "source": f"n{place}", "target": f"n{place + 1}",
            "source_port_name": "success", "target_port_name": "input",
        }
        for place in range(length - 1)
    ]  # fmt: skip
    return {"nodes": nodes, "connections": connections}


def events_of(length: int) -> int:
    """Return how many events a run of a chain has: for each step two, for each connection one, and three of the run."""
    return 2 * length + (length - 1) + 3


def adding(number: int) -> dict[str, Any]:
    """Return what a run of a chain is given."""
    return {"data": {"n": number}, "history": []}
