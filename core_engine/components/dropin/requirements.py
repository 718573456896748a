"""The packages a component needs: names and versions only, no addresses, no options, nothing that is built."""

from __future__ import annotations

import hashlib
import re
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from core_engine.components.dropin.problem import UnusableError

REQUIREMENTS = "requirements.txt"
MOST_LINES = 100
_MOST_BYTES = 64 * 1024
_VERSIONS = r"(?:===?|~=|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]{1,60}"
_LINE = re.compile(
    rf"[A-Za-z0-9](?:[A-Za-z0-9._-]{{0,98}}[A-Za-z0-9])?(?:\[[A-Za-z0-9,._ -]{{1,200}}\])?\s*"
    rf"(?:{_VERSIONS}(?:\s*,\s*{_VERSIONS}){{0,9}})?(?:\s*;\s*[A-Za-z0-9_.'\" <>=!()~,-]{{1,300}})?"
)


def read_requirements(file: Path) -> tuple[str, ...]:
    """Return the requirements in a file, none where there is no file; raises UnusableError."""
    if file.is_symlink() or not file.is_file():
        return ()
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeError) as error:
        raise UnusableError(f"{REQUIREMENTS} cannot be read: {error}") from error
    if len(text) > _MOST_BYTES:
        raise UnusableError(f"{REQUIREMENTS} is too long")
    return check_requirements(text.splitlines())


def check_requirements(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines that name a package; raises UnusableError for every other line but comments."""
    found = []
    for line in lines:
        wanted = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not wanted:
            continue
        if _LINE.fullmatch(wanted) is None:
            raise UnusableError(
                f"{REQUIREMENTS}: {wanted[:100]!r} is not a package's name with versions;"
                " addresses and options are not accepted"
            )
        found.append(wanted)
    if len(found) > MOST_LINES:
        raise UnusableError(f"{REQUIREMENTS} names more than {MOST_LINES} packages")
    return tuple(found)


def environment_key(requirements: Sequence[str]) -> str:
    """Return the name of the environment for these requirements on this interpreter, 32 hex digits."""
    wanted = sorted({re.sub(r"\s+", "", line).lower() for line in requirements})
    about = [sys.implementation.cache_tag or "", sysconfig.get_platform(), *wanted]
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:32]
