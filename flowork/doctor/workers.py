"""Judges whether an engine that sends its steps to workers has any: those that have answered a trial message lately."""

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


def check_workers(environ: Mapping[str, str]) -> list[Finding]:
    """Count the workers; nothing where steps run in the engine, or Redis does not answer (that is judged elsewhere)."""
    url = environ.get("ENGINE_REDIS_URL") or environ.get("REDIS_URL") or ""
    if environ.get("ENGINE_STEPS") != "workers" or not url:
        return []
    import redis  # noqa: PLC0415 - heavy, only where used

    try:
        with redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as client:
            keys = list(islice(client.scan_iter(ANSWERS, count=1000), MOST))
            with client.pipeline(transaction=False) as pipeline:
                for key in keys:
                    pipeline.ttl(key)
                left = pipeline.execute()
    except (redis.RedisError, ValueError):
        return []
    canary = _seconds(environ.get("ENGINE_WORKER_CANARY_SECONDS"))
    count = sum(ttl >= KEPT_SECONDS - max(LATELY_SECONDS, 2 * canary) for ttl in left)
    advice = "Steps wait until one is there: start `flowork worker`, or look at the logs of those that run."
    text = (
        f"{count} answered within the last minutes" if count else "none has answered within the last minutes"
    )
    return [judge("workers", text, good=count > 0, advice=advice)]


def _seconds(text: str | None) -> float:
    try:
        return min(max(float(text or 0), 0.0), KEPT_SECONDS)
    except ValueError:
        return 0.0
