"""The gateway's settings, read once at its start."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from shared.ids import ADDRESS_PATTERN, ENGINE_ID_PATTERN
from shared.settings import SettingsGroup, reveal, setting

PREFIXES = ("GATEWAY_",)
FOREIGN = frozenset({"GATEWAY_URL"})


class Server(SettingsGroup):
    """Where and how the gateway serves."""

    host: str = setting("127.0.0.1", env="GATEWAY_HOST", description="Address the gateway listens on.")
    port: int = setting(
        8000,
        env="GATEWAY_PORT",
        ge=0,
        le=65535,
        description="Port the gateway listens on; 0 picks a free one.",
    )
    async_mode: Literal["eventlet", "threading"] = setting(
        "eventlet",
        env="GATEWAY_ASYNC_MODE",
        description="Runtime of the server: eventlet (default) or threading.",
    )
    public_url: str = setting(
        "", env="GATEWAY_PUBLIC_URL", pattern=r"^$|^https?://[^\s/]+$",
        description="Origin under which browsers reach the gateway, for links; empty: http://host:port.",
    )  # fmt: skip
    allowed_origins: str = setting(
        "", env="GATEWAY_ALLOWED_ORIGINS",
        description="Comma-separated web origins that may call the API, beside the gateway's own and local ones.",
    )  # fmt: skip
    allowed_hosts: str = setting(
        "", env="GATEWAY_ALLOWED_HOSTS",
        description="Comma-separated host names the gateway answers to, beside loopback names, its own address and "
        "the public URL; * allows every name.",
    )  # fmt: skip
    trusted_proxies: str = setting(
        "", env="GATEWAY_TRUSTED_PROXIES",
        description="Comma-separated addresses or networks of proxies whose X-Forwarded-For is believed; empty: none.",
    )  # fmt: skip
    workers: int = setting(
        1, env="GATEWAY_WORKERS", ge=1, le=64,
        description="Processes under gunicorn; more than one needs REDIS_URL and PostgreSQL.",
    )  # fmt: skip
    page: Literal["auto", "plain"] = setting(
        "auto", env="GATEWAY_PAGE",
        description="auto: the web GUI where it is built, else the plain page. plain: always the plain page.",
    )  # fmt: skip
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "INFO", env="GATEWAY_LOG_LEVEL", description="Least severe level that is logged."
    )
    log_format: Literal["text", "json"] = setting(
        "text", env="GATEWAY_LOG_FORMAT", description="text or json (one object a line)."
    )


class Storage(SettingsGroup):
    """Where the gateway keeps identities and engines."""

    data_dir: Path = setting(
        Path("var/data"), env="FLOWORK_DATA_DIR", description="Folder of all data of the platform."
    )
    database_url: SecretStr | None = setting(
        None, env="DATABASE_URL", secret=True, description="SQLAlchemy URL; empty: SQLite in the data folder."
    )
    redis_url: SecretStr | None = setting(
        None, env="REDIS_URL", secret=True,
        description="Redis that several processes share (presence, messages, rate limits); empty: memory.",
    )  # fmt: skip
    gateway_redis_url: SecretStr | None = setting(
        None,
        env="GATEWAY_REDIS_URL",
        secret=True,
        description="Redis for the gateway alone; empty: REDIS_URL.",
    )

    @property
    def shared_redis(self) -> str:
        """The URL of the Redis that the gateway's processes share, or an empty string."""
        return reveal(self.gateway_redis_url) or reveal(self.redis_url)


class Security(SettingsGroup):
    """Who may ask for what."""

    service_secret: SecretStr | None = setting(
        None, env="GATEWAY_SECRET_TOKEN", secret=True,
        description="Secret shared by gateway and engine (flork_sec_…); required in production.",
    )  # fmt: skip
    metrics_token: SecretStr | None = setting(
        None, env="FLOWORK_METRICS_TOKEN", secret=True,
        description="Bearer token with which /metrics can be read, and nothing else; empty: GATEWAY_SECRET_TOKEN as "
        "X-API-Key.",
    )  # fmt: skip
    signatures: Literal["documented", "bound"] = setting(
        "documented", env="GATEWAY_SIGNATURES",
        description="documented: both forms. bound: only requests whose signature covers method, path and body.",
    )  # fmt: skip
    admins: str = setting(
        "", env="GATEWAY_ADMINS", description="Comma-separated wallet addresses that administer the gateway."
    )
    max_body_bytes: int = setting(
        1024 * 1024, env="GATEWAY_MAX_BODY_BYTES", ge=1024, description="Largest request body, in bytes."
    )
    socket_session_hours: float = setting(
        24.0, env="GATEWAY_SOCKET_SESSION_HOURS", ge=0.1, le=720,
        description="How long a GUI may reconnect its socket with the signature it first connected with, in hours.",
    )  # fmt: skip
    engine_timeout_seconds: float = setting(
        35.0, env="GATEWAY_ENGINE_TIMEOUT_SECONDS", ge=1,
        description="An engine not heard of for this long is shown as offline, in seconds. Engines send a sign of life "
        "every few seconds, those of the documented protocol every 15.",
    )  # fmt: skip


class Limits(SettingsGroup):
    """How many requests are answered within a minute; 0 switches a limit off."""

    per_address: int = setting(
        600,
        env="GATEWAY_RATE_PER_ADDRESS",
        ge=0,
        description="Signed requests of one wallet or engine a minute.",
    )
    per_ip: int = setting(
        3000, env="GATEWAY_RATE_PER_IP", ge=0, description="Requests of one IP address a minute, of any kind."
    )
    unauthenticated: int = setting(
        120, env="GATEWAY_RATE_UNAUTHENTICATED", ge=0,
        description="Requests of one IP address a minute that are unsigned, or whose signature does not hold.",
    )  # fmt: skip
    strict: int = setting(
        20, env="GATEWAY_RATE_STRICT", ge=0,
        description="Claims, token resets and public look-ups of one caller a minute, each counted by itself.",
    )  # fmt: skip


class Identity(SettingsGroup):
    """Contract wallets and ENS names: looked up on one chain."""

    rpc_url: SecretStr | None = setting(
        None, env="GATEWAY_RPC_URL", secret=True,
        description="JSON-RPC address of a node of the chain on which contract wallets (EIP-1271) may sign in and ENS "
        "names are looked up; empty: keys sign in only, and there are no names.",
    )  # fmt: skip
    chain_id: int = setting(
        1, env="GATEWAY_RPC_CHAIN", ge=1, le=2**53, description="The chain that this node has to be on."
    )
    ens_registry: str = setting(
        "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e", env="GATEWAY_ENS_REGISTRY", pattern=f"^$|{ADDRESS_PATTERN}",
        description="The ENS registry there; empty: no names.",
    )  # fmt: skip
    seconds: float = setting(
        5.0, env="GATEWAY_RPC_SECONDS", ge=0.5, le=60,
        description="How long one question to this node may take, in seconds.",
    )  # fmt: skip


class BillingSettings(SettingsGroup):
    """Plans and payments."""

    enabled: bool = setting(
        False, env="GATEWAY_BILLING",
        description="Hold users to the limits of their plan and take payments; off: nobody is limited.",
    )  # fmt: skip
    plans_file: Path | None = setting(
        None, env="GATEWAY_PLANS", description="JSON file of the plans; empty: free, pro and team as shipped."
    )
    chains_file: Path | None = setting(
        None, env="GATEWAY_CHAINS",
        description="JSON file of the chains and assets that are taken; empty: no payments.",
    )  # fmt: skip
    quote_minutes: float = setting(
        60.0,
        env="GATEWAY_QUOTE_MINUTES",
        ge=1,
        le=10080,
        description="How long a quote may be paid, in minutes.",
    )
    seller: str = setting(
        "Flowork", env="GATEWAY_SELLER", max_length=300,
        description="Name and address of the seller, as invoices show them.",
    )  # fmt: skip
    jobs: Literal["process", "celery"] = setting(
        "process", env="GATEWAY_JOBS",
        description="Who does the periodic work: the gateway's process, or Celery workers (needs REDIS_URL).",
    )  # fmt: skip
    jobs_seconds: float = setting(
        30.0, env="GATEWAY_JOBS_SECONDS", ge=0.2, le=3600,
        description="Time between two rounds of periodic work, in seconds."
    )  # fmt: skip


class Bundled(SettingsGroup):
    """The engine that `flowork up` starts beside the gateway, to be claimed by the first identity."""

    engine_id: str = setting(
        "", env="GATEWAY_BUNDLED_ENGINE_ID", pattern=f"^$|{ENGINE_ID_PATTERN}",
        description="Id of an engine to enter at the start if it is not known; set by `flowork up`.",
    )  # fmt: skip
    engine_token: SecretStr | None = setting(
        None,
        env="GATEWAY_BUNDLED_ENGINE_TOKEN",
        secret=True,
        description="Token of the bundled engine; set by `flowork up`.",
    )
    engine_name: str = setting(
        "My engine", env="GATEWAY_BUNDLED_ENGINE_NAME", description="Name of the bundled engine."
    )


class Telemetry(SettingsGroup):
    """Where traces go."""

    collector: str = setting(
        "", env="OTEL_EXPORTER_OTLP_ENDPOINT", pattern=r"^$|^https?://[^\s]+$",
        description="Base address of an OpenTelemetry collector (OTLP over HTTP); empty: no traces are made.",
    )  # fmt: skip
    collector_headers: SecretStr | None = setting(
        None, env="OTEL_EXPORTER_OTLP_HEADERS", secret=True,
        description="Headers for the collector as name=value pairs joined by commas, such as a token.",
    )  # fmt: skip


class GatewaySettings(BaseModel):
    """All settings of the gateway."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    server: Server
    storage: Storage
    security: Security
    limits: Limits
    identity: Identity
    billing: BillingSettings
    bundled: Bundled
    telemetry: Telemetry
