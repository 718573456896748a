"""A secret, every spelling that gives it away, and everything that an engine says about it to anybody."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

_LOG_FIELDS = frozenset(logging.makeLogRecord({}).__dict__)


def new_secret() -> str:
    """Return a value of two lines with everything that some spelling writes differently."""
    lines = [f'{secrets.token_urlsafe(18)} +/"ü\\z', secrets.token_urlsafe(24)]
    return "\n".join(lines)


def spellings(secret: str) -> dict[str, str]:
    """Return the texts that must not be found, by what they are."""
    raw = secret.encode()
    first, last = secret.splitlines()
    made = {
        "itself": secret, "first line": first, "last line": last, "hex": raw.hex(), "HEX": raw.hex().upper(),
        "JSON": json.dumps(secret)[1:-1], "plain JSON": json.dumps(secret, ensure_ascii=False)[1:-1],
        "URL": quote(secret, safe=""), "URL path": quote(secret), "form": quote_plus(secret),
        "JSON in JSON": json.dumps(json.dumps(last))[3:-3],
    }  # fmt: skip
    for before in range(3):
        for name, encode in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
            # without the characters that also depend on what stands around it
            made[f"{name} after {before}"] = encode(b"\0" * before + raw).decode()[4:-4]
    return made


class Ear:
    """Hears what is told on every surface, and finds the secret in it."""

    def __init__(self, secret: str) -> None:
        self._spellings = spellings(secret)
        self.found: dict[tuple[str, str], list[str]] = {}
        self.heard = 0

    def hear(self, surface: str, said: Any, about: str = "") -> None:
        """Look at a JSON value, a text or bytes."""
        self.heard += 1
        if isinstance(said, bytes):
            texts = [said.decode("utf-8", "replace")]
        elif isinstance(said, str):
            texts = [said]
        else:
            texts = [json.dumps(said, default=str), json.dumps(said, default=str, ensure_ascii=False)]
        for name, spelling in self._spellings.items():
            if any(spelling in text for text in texts):
                self.found.setdefault((surface, about), []).append(name)

    def hear_log(self, records: list[logging.LogRecord]) -> None:
        """Look at the lines of a log with their fields and tracebacks."""
        for record in records:
            more = {name: value for name, value in vars(record).items() if name not in _LOG_FIELDS}
            trace = logging.Formatter().format(record)
            self.hear("log", f"{trace} {more}", record.name)

    def hear_files(self, folder: Path) -> None:
        """Look at every file below a folder."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.is_symlink():
                self.hear("disk", path.read_bytes(), path.name)
