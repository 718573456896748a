"""Refuses to start on packages with a known weakness; the floors are checked at the start and by `flowork doctor`."""

from __future__ import annotations

import re
from importlib import metadata

from shared.errors import ErrorCode, FloworkError
from shared.signing.native import require_native_backend

# Each floor is the first version without a known weakness that concerns us; a ceiling is a removed feature.
FLOORS = {
    "aiohttp": "3.13.3",
    "celery": "5.5",
    "eventlet": "0.40.3",
    "gunicorn": "23.0",
    "python-socketio": "5.16.2",
    "werkzeug": "3.1.5",
}
CEILINGS = {"gunicorn": "26"}
_REMOVED = {"gunicorn": "gunicorn 26 removed its eventlet worker"}
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def require_sound_software() -> None:
    """Refuse to start without native signatures or with a package below its floor; raises CONFIGURATION.

    A package that is not installed is no matter here: an image of the gateway has less than one of the engine.
    """
    require_native_backend()
    for name in FLOORS:
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if reason := weakness(name, installed):
            raise FloworkError(ErrorCode.CONFIGURATION, f"{name} {installed} is refused: {reason}.")


def weakness(name: str, version: str) -> str | None:
    """Return what is wrong with this version of a package as half a sentence, or None."""
    if version_key(version) < version_key(FLOORS[name]):
        return f"versions before {FLOORS[name]} have a known weakness"
    if name in CEILINGS and version_key(version) >= version_key(CEILINGS[name]):
        return _REMOVED[name]
    return None


def version_key(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version for comparison."""
    match = _NUMBERS.match(version)
    return tuple(int(part) for part in match[0].split(".")) if match else ()
