"""Which version of the platform this process is."""

from __future__ import annotations

import importlib.metadata


def own_version() -> str:
    """Return the version of the installed distribution, or ``unknown`` where it runs from a bare tree."""
    try:
        return importlib.metadata.version("flowork")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
