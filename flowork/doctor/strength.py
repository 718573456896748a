"""Judges secrets by what they look like, without ever showing one."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path

from flowork.doctor.finding import Finding, Level, judge

SECRETS = (
    "GATEWAY_SECRET_TOKEN",
    "FLOWORK_ENGINE_TOKEN",
    "FLOWORK_CLAIM_CODE",
    "FLOWORK_METRICS_TOKEN",
    "ENGINE_MASTER_KEY",
    "ENGINE_WORKER_SECRET",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "GRAFANA_PASSWORD",
)
MIN_LENGTH, MIN_DIFFERENT = 16, 8
_PREFIX = re.compile(r"^(flork_sec_|flork_metrics_|dev_engine_)")
_COMMON = re.compile(r"secret|password|changeme|change_me|example|default|admin|12345|qwert", re.IGNORECASE)
_AGAIN = "`flowork env` prints strong ones; an installation keeps its engine id and ENGINE_MASTER_KEY."


def check_strength(environ: Mapping[str, str]) -> list[Finding]:
    """Judge every secret that is set: long, random, and used for one thing only."""
    given = {name: environ[name] for name in SECRETS if environ.get(name)}
    if not given:
        return []
    weak = sorted(name for name, value in given.items() if is_weak(value))
    values = list(given.values())
    twice = sorted(name for name, value in given.items() if values.count(value) > 1)
    return [
        judge(
            "secrets' strength",
            f"weak: {', '.join(weak)}" if weak else f"{len(given)} are strong",
            good=not weak,
            advice=f"They can be guessed. {_AGAIN}",
            otherwise=Level.FAIL,
        ),
        judge(
            "secrets' purposes",
            f"the same value: {', '.join(twice)}" if twice else "each has its own value",
            good=not twice,
            advice=f"Who learns one has the others too. {_AGAIN}",
            otherwise=Level.FAIL,
        ),
    ]


def is_weak(secret: str) -> bool:
    """Tell whether a secret is short, repetitive or made of words that everybody tries first."""
    core = _PREFIX.sub("", secret)
    return len(core) < MIN_LENGTH or len(set(core)) < MIN_DIFFERENT or bool(_COMMON.search(core))


def check_file(path: Path) -> list[Finding]:
    """Judge who can read a file of secrets; nothing where there is none."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return []
    others = stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO)
    text = f"{path}, mode {stat.S_IMODE(mode):04o}"
    advice = f"Others can read its secrets; chmod 600 {path}"
    return [judge(".env", text, good=not others, advice=advice, otherwise=Level.FAIL)]
