"""Reads the licences of what the lock files name, as SPDX expressions."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "runtime.txt"
PAGE_LOCK = ROOT / "gui" / "package-lock.json"
KNOWN = ROOT / "requirements" / "licences.toml"

# What those who do not write SPDX mean; the name of the package stands before it where the word alone does not say.
_WORDS = {
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD, Public Domain": "BSD-2-Clause",
    "PSFL (Keccak: CC0 1.0 Universal)": "PSF-2.0 AND CC0-1.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "New BSD": "BSD-3-Clause",
    "PSFL": "PSF-2.0",
}


def locked() -> list[str]:
    """Return the names of all packages of the runtime's lock file."""
    return sorted(set(re.findall(r"^([a-z0-9][\w.-]*)==", LOCK.read_text(), re.MULTILINE)))


def known() -> dict[str, dict[str, str]]:
    """Return what is on record: ``python`` and ``page`` by package, ``reviewed`` with a reason by package."""
    return tomllib.loads(KNOWN.read_text())


def installed(name: str) -> str | None:
    """Return the licence an installed package states, None for one that is not installed or states none."""
    try:
        stated = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    if "License-Expression" in stated:
        return stated["License-Expression"]
    word = next(iter(stated.get_all("License") or ()), "")
    if not word or "\n" in word:
        classes = [str(item) for item in stated.get_all("Classifier") or () if item.startswith("License")]
        word = classes[0].rpartition(":: ")[2] if classes else ""
    return _WORDS.get(word, word) or None


def bundled() -> dict[str, str | None]:
    """Return the packages that may end up in the web page, with the licences their lock file states."""
    packages = json.loads(PAGE_LOCK.read_text())["packages"]
    return {
        path.rpartition("node_modules/")[2]: entry.get("license")
        for path, entry in packages.items()
        if path and not entry.get("dev")
    }
