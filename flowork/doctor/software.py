"""Judges the installed software: versions below a known weakness, and native code without which it is slow."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from importlib.util import find_spec

from flowork.doctor.finding import Finding, Level, judge
from shared.errors import FloworkError
from shared.signing.native import require_native_backend
from shared.software import FLOORS, weakness

OLDEST_PYTHON = (3, 11)
SAFE_PYTHON_PATCH = {(3, 11): 13, (3, 12): 11, (3, 13): 4}


def check_software() -> list[Finding]:
    """Judge Python, the packages with a floor and the native parts."""
    return [
        _python(),
        *(_package(name) for name in FLOORS),
        _signatures(),
        _http_parser(),
    ]


def _python() -> Finding:
    series, patch = sys.version_info[:2], sys.version_info[2]
    if series < OLDEST_PYTHON:
        return Finding("Python", Level.FAIL, platform.python_version(), "Install Python 3.11 or newer.")
    safe = patch >= SAFE_PYTHON_PATCH.get(series, 0)
    wanted = f"{series[0]}.{series[1]}.{SAFE_PYTHON_PATCH.get(series, 0)}"
    return judge(
        "Python",
        platform.python_version(),
        good=safe,
        advice=f"Update to {wanted} or newer; it closes known holes.",
    )


def _package(name: str) -> Finding:
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, Level.FAIL, "not installed", "Run make setup.")
    reason = weakness(name, installed)
    advice = f"{(reason or '').capitalize()}; run make setup."
    return judge(name, installed, good=reason is None, advice=advice, otherwise=Level.FAIL)


def _signatures() -> Finding:
    try:
        require_native_backend()
    except FloworkError as error:
        return Finding("coincurve", Level.FAIL, error.message, "Run make setup.")
    return Finding("coincurve", Level.OK, "signatures are checked by native code")


def _http_parser() -> Finding:
    native = find_spec("aiohttp._http_parser") is not None
    return judge(
        "aiohttp parser",
        "native" if native else "pure Python",
        good=native,
        advice="The pure Python parser accepts more than it should; install a wheel of aiohttp.",
    )
