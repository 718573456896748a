"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """OK: fine. NOTE: good to know. WARN: works, but should be changed. FAIL: does not work or is not safe."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what to do about it."""

    topic: str
    level: Level
    text: str
    advice: str = ""


def judge(topic: str, text: str, *, good: bool, advice: str = "", otherwise: Level = Level.WARN) -> Finding:
    """Return an OK finding, or one of the other level with the advice."""
    return Finding(topic, Level.OK if good else otherwise, text, "" if good else advice)
