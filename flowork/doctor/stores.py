"""Judges what several processes share: Redis and the database. No finding shows a password."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from flowork.client.addresses import is_loopback
from flowork.doctor.finding import Finding, Level, judge

SECONDS = 3.0
REDIS_SETTINGS = ("REDIS_URL", "GATEWAY_REDIS_URL", "ENGINE_REDIS_URL")
OLDEST_REDIS = 6
OLDEST_POSTGRES = 13
_UNREACHABLE = "Start it, or set {setting} right; what needs it does not start without."


def check_stores(environ: Mapping[str, str]) -> list[Finding]:
    """Judge each Redis and the database that the settings name."""
    found = [(name, environ[name]) for name in REDIS_SETTINGS if environ.get(name)]
    findings = [finding for name, url in found for finding in _redis(name, url)]
    return [*findings, *_apart(environ), *_database(environ.get("DATABASE_URL") or "")]


def _redis(setting: str, url: str) -> list[Finding]:
    import redis  # noqa: PLC0415 - heavy, only where used

    try:
        parts, place = urlsplit(url), _place(urlsplit(url))
        client = redis.Redis.from_url(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS, retry=None)
    except ValueError:
        return [
            Finding(
                "Redis",
                Level.FAIL,
                f"{setting} is no address",
                "It looks like redis://:password@host:6379/0.",
            )
        ]
    try:
        facts = client.info("server")
        policy = client.info("memory").get("maxmemory_policy", "unknown")
    except redis.AuthenticationError:
        return [
            Finding("Redis", Level.FAIL, f"{place} refuses the password", f"Set the right one in {setting}.")
        ]
    except redis.RedisError as error:
        text = f"{place} does not answer ({type(error).__name__})"
        return [Finding("Redis", Level.FAIL, text, _UNREACHABLE.format(setting=setting))]
    finally:
        client.close()
    version = str(facts.get("redis_version", "0"))
    return [
        judge(
            "Redis",
            f"{place}, version {version} ({setting})",
            good=int(version.split(".", maxsplit=1)[0]) >= OLDEST_REDIS,
            advice=f"Update to Redis {OLDEST_REDIS} or newer.",
            otherwise=Level.FAIL,
        ),
        judge(
            "Redis memory",
            str(policy),
            good=policy == "noeviction",
            advice="It may throw messages away; set maxmemory-policy noeviction.",
            otherwise=Level.FAIL,
        ),
        judge(
            "Redis password",
            "set" if parts.password else f"none at {place}",
            good=bool(parts.password),
            advice=f"Set requirepass in Redis and the password in {setting}.",
            otherwise=Level.WARN if is_loopback(f"http://{parts.hostname}") else Level.FAIL,
        ),
    ]


def _apart(environ: Mapping[str, str]) -> list[Finding]:
    """Judge whether gateway and engine keep out of each other's Redis database."""
    shared = environ.get("REDIS_URL") or ""
    gateway, engine = environ.get("GATEWAY_REDIS_URL") or shared, environ.get("ENGINE_REDIS_URL") or shared
    if not gateway or not engine or environ.get("ENGINE_STEPS") != "workers":
        return []
    advice = "Give each a database number of its own: …/1 in GATEWAY_REDIS_URL, …/2 in ENGINE_REDIS_URL."
    apart = gateway != engine
    return [
        judge(
            "Redis databases", "apart" if apart else "shared by gateway and engine", good=apart, advice=advice
        )
    ]


def _database(url: str) -> list[Finding]:
    if not url.startswith("postgres"):
        return [Finding("database", Level.OK, "SQLite in the data folder")] if not url else []
    import psycopg  # noqa: PLC0415 - heavy, only where used

    plain = "postgresql://" + url.partition("://")[2]
    try:
        place = _place(urlsplit(plain))
        with psycopg.connect(plain, connect_timeout=int(SECONDS)) as connection:
            version = connection.info.server_version // 10_000
            may_create = connection.execute(
                "SELECT has_database_privilege(current_database(), 'CREATE')"
            ).fetchone()
    except (psycopg.Error, ValueError) as error:
        text = f"PostgreSQL of DATABASE_URL cannot be used ({type(error).__name__})"
        return [Finding("database", Level.FAIL, text, _UNREACHABLE.format(setting="DATABASE_URL"))]
    return [
        judge(
            "database",
            f"PostgreSQL {version} at {place}",
            good=version >= OLDEST_POSTGRES,
            advice=f"Update to PostgreSQL {OLDEST_POSTGRES} or newer.",
            otherwise=Level.FAIL,
        ),
        judge(
            "database rights",
            "may make tables" if may_create == (True,) else "may not make schemas",
            good=may_create == (True,),
            advice="The engine keeps its data in a schema of its own: GRANT CREATE ON DATABASE … TO its user.",
        ),
    ]


def _place(parts: SplitResult) -> str:
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname or 'localhost'}{port}{parts.path.rstrip('/')}"
