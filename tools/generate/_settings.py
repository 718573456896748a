"""The settings of every process, in the order in which their pages show them."""

from __future__ import annotations

from core_engine.settings import EngineSettings
from flowork.settings import CommandLineSettings
from gateway.settings import GatewaySettings
from shared.settings import SettingDoc, describe


def documented() -> list[tuple[str, list[SettingDoc]]]:
    """Return each process's settings; one that several read is listed with the first alone."""
    processes = (
        ("Gateway (and shared)", GatewaySettings),
        ("Engine", EngineSettings),
        ("Command line", CommandLineSettings),
    )
    seen: set[str] = set()
    pages = []
    for title, model in processes:
        docs = [doc for doc in describe(model) if doc.env not in seen]
        seen |= {doc.env for doc in docs}
        pages.append((title, docs))
    return pages
