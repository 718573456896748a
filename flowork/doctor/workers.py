"""Judges whether an engine that sends its steps to workers has any: those that answered lately, or have a step now."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from flowork.doctor.finding import Finding, judge

SECONDS = 3.0
ANSWERS = "flowork:canary:*"
KEPT_SECONDS = 3600
"""How long Redis keeps a worker's answer; what is left of it tells how old the answer is."""
LATELY_SECONDS = 120
MOST = 10_000
_BUSY = "SELECT DISTINCT worker FROM step_claim WHERE state = 'LEASED' AND lease_until > clock_timestamp() LIMIT %s"


def check_workers(environ: Mapping[str, str]) -> list[Finding]:
    """Count the workers; nothing where steps run in the engine, or Redis does not answer (that is judged elsewhere)."""
    url = environ.get("ENGINE_REDIS_URL") or environ.get("REDIS_URL") or ""
    if environ.get("ENGINE_STEPS") != "workers" or not url:
        return []
    canary = _seconds(environ.get("ENGINE_WORKER_CANARY_SECONDS"))
    answered = _answered(url, max(LATELY_SECONDS, 2 * canary))
    if answered is None:
        return []
    # Whoever has all hands full answers no trial message, but keeps its leases.
    busy = _busy(environ.get("DATABASE_URL") or "") - answered
    said = [f"{len(answered)} answered within the last minutes"] if answered else []
    said += [f"{len(busy)} {'more ' if said else ''}at work on steps"] if busy else []
    text = ", ".join(said) or "none has answered within the last minutes, and none has a step"
    advice = "Steps wait until one is there: start `flowork worker`, or look at the logs of those that run."
    return [judge("workers", text, good=bool(said), advice=advice)]


def _answered(url: str, seconds: float) -> set[str] | None:
    """Return the names of the workers that have answered a trial message; None where Redis does not answer."""
    import redis  # noqa: PLC0415 - heavy, only where used

    try:
        with redis.Redis.from_url(
            url,
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            decode_responses=True,
            encoding_errors="replace",
        ) as client:
            keys = list(islice(client.scan_iter(ANSWERS, count=1000), MOST))
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.ttl(key)
                left = pipeline.execute()
    except (redis.RedisError, ValueError):
        return None
    names = (str(key).removeprefix(ANSWERS[:-1]) for key in keys)
    return {name for name, ttl in zip(names, left, strict=True) if ttl >= KEPT_SECONDS - seconds}


def _busy(url: str) -> set[str]:
    """Return the names of the workers that have a step; none where the database cannot tell."""
    if not url.startswith("postgres"):
        return set()
    import psycopg  # noqa: PLC0415 - heavy, only where used

    plain = "postgresql://" + url.partition("://")[2]
    limits = f"-c statement_timeout={int(SECONDS * 1000)}"
    try:
        with psycopg.connect(plain, connect_timeout=int(SECONDS), options=limits) as connection:
            return {str(name) for (name,) in connection.execute(_BUSY, (MOST,))}
    except (psycopg.Error, ValueError):
        return set()


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or 0), 0.0), KEPT_SECONDS)
    except ValueError:
        return 0.0
