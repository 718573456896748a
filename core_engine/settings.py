"""The engine's settings, read once at its start."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from core_engine.front_settings import Fronts
from shared.ids import ADDRESS_PATTERN, ENGINE_ID_PATTERN
from shared.settings import SettingsGroup, reveal, setting

PREFIXES = ("ENGINE_",)
_QUEUE = "(default|heavy|docker)"
_LABEL = "[a-z0-9][a-z0-9_-]{0,39}"


class Identity(SettingsGroup):
    """Who this engine is and to whom it belongs."""

    engine_id: str = setting(
        "", env="FLOWORK_ENGINE_ID", description="Id of this engine, given at its registration.",
        pattern=f"^$|{ENGINE_ID_PATTERN}",
    )  # fmt: skip
    token: SecretStr | None = setting(
        None, env="FLOWORK_ENGINE_TOKEN", secret=True,
        description="Token of this engine, shown once at its registration (dev_engine_ and 32 hex digits).",
    )  # fmt: skip
    owner_address: str = setting(
        "", env="FLOWORK_OWNER_ADDRESS", pattern=f"^$|{ADDRESS_PATTERN}",
        description="Wallet address of the owner. Empty: pinned by the claim link or at the first contact.",
    )  # fmt: skip
    claim_code: SecretStr | None = setting(
        None, env="FLOWORK_CLAIM_CODE", secret=True,
        description="One-time code to claim an unowned engine with; set by `flowork up`.",
    )  # fmt: skip
    claim_page: str = setting(
        "", env="ENGINE_CLAIM_PAGE", pattern=r"^$|^https?://[^\s/]+/?$",
        description="Origin of the web page for the claim link that an unowned engine prints at its start; "
        "empty: none is printed.",
    )  # fmt: skip
    master_key: SecretStr | None = setting(
        None, env="ENGINE_MASTER_KEY", secret=True,
        description="Key that encrypts secret variables, 64 hex digits. Empty: a key file in the engine's folder.",
    )  # fmt: skip
    signing_key: SecretStr | None = setting(
        None, env="ENGINE_SIGNING_KEY", secret=True,
        description="Key by which the engine knows the workflows that it saved, 64 hex digits. Empty: a key file in "
        "the engine's folder. Processes that share a database need the same one.",
    )  # fmt: skip
    gateway_trust: Literal["grants", "list"] = setting(
        "grants", env="ENGINE_GATEWAY_TRUST",
        description="grants: an address only on the gateway's list is at most reader. list: it may run workflows.",
    )  # fmt: skip
    gateway_access: Literal["off", "read", "write"] = setting(
        "read", env="ENGINE_GATEWAY_ACCESS",
        description="What the gateway may do by REST in the name of a user it vouches for, without a signature that "
        "this engine checks: off: nothing. read: look. write: also run saved workflows and change variables.",
    )  # fmt: skip


class Link(SettingsGroup):
    """The connection to the gateway."""

    gateway_url: str = setting(
        "http://127.0.0.1:8000", env="GATEWAY_URL", description="Address of the gateway; empty to run without one.",
        pattern=r"^$|^https?://[^\s]+$",
    )  # fmt: skip
    service_secret: SecretStr | None = setting(
        None, env="GATEWAY_SECRET_TOKEN", secret=True,
        description="Secret shared by gateway and engine (flork_sec_…), sent as X-API-Key.",
    )  # fmt: skip
    metrics_token: SecretStr | None = setting(
        None, env="FLOWORK_METRICS_TOKEN", secret=True,
        description="Bearer token with which /metrics can be read, and nothing else; empty: GATEWAY_SECRET_TOKEN as "
        "X-API-Key.",
    )  # fmt: skip
    vitals_seconds: float = setting(
        10.0,
        env="ENGINE_VITALS_SECONDS",
        ge=0.2,
        le=60,
        description="How often CPU and memory are reported, in seconds.",
    )
    reconnect_max_seconds: float = setting(
        30.0, env="ENGINE_RECONNECT_MAX_SECONDS", ge=0.1, le=600,
        description="Longest wait between two attempts to reach the gateway, in seconds.",
    )  # fmt: skip


class Listen(SettingsGroup):
    """Where the engine listens."""

    socket_host: str = setting(
        "127.0.0.1", env="ENGINE_SOCKET_HOST", description="Address of the raw WebSocket."
    )
    socket_port: int = setting(
        8765,
        env="ENGINE_SOCKET_PORT",
        ge=0,
        le=65535,
        description="Port of the raw WebSocket; 0 picks a free one.",
    )
    http_host: str = setting(
        "127.0.0.1", env="ENGINE_HTTP_HOST", description="Address of the internal HTTP API."
    )
    http_port: int = setting(
        8989,
        env="ENGINE_HTTP_PORT",
        ge=0,
        le=65535,
        description="Port of the internal HTTP API; 0 picks a free one.",
    )
    allowed_origins: str = setting(
        "", env="ENGINE_ALLOWED_ORIGINS",
        description="Comma-separated web origins whose pages may open the raw WebSocket, beside the gateway's.",
    )  # fmt: skip


class Limits(SettingsGroup):
    """Bounds on what clients and workflows may use."""

    envelope: Literal["documented", "bound"] = setting(
        "documented", env="ENGINE_ENVELOPE",
        description="documented: both signing forms. bound: only messages whose signature covers their payload.",
    )  # fmt: skip
    max_message_bytes: int = setting(
        4 * 1024 * 1024, env="ENGINE_MAX_MESSAGE_BYTES", ge=1024, le=256 * 1024 * 1024,
        description="Largest message accepted on the raw WebSocket, in bytes.",
    )  # fmt: skip
    messages_per_second: int = setting(
        2000,
        env="ENGINE_MESSAGES_PER_SECOND",
        ge=1,
        description="Messages accepted per second and connection.",
    )
    max_connections: int = setting(
        1000,
        env="ENGINE_MAX_CONNECTIONS",
        ge=1,
        description="Raw WebSocket connections held at the same time.",
    )
    outbox_bytes: int = setting(
        32 * 1024 * 1024, env="ENGINE_OUTBOX_BYTES", ge=64 * 1024,
        description="Unsent bytes per connection after which a slow reader is dropped.",
    )  # fmt: skip
    auth_deadline_seconds: float = setting(
        120.0, env="ENGINE_AUTH_DEADLINE_SECONDS", ge=0.1, le=3600,
        description="How long a connection may stay without a correctly signed message, in seconds.",
    )  # fmt: skip
    max_parallel_steps: int = setting(
        32,
        env="ENGINE_MAX_PARALLEL_STEPS",
        ge=1,
        le=10_000,
        description="Steps running at the same time, over all runs.",
    )
    max_parallel_steps_per_run: int = setting(
        16,
        env="ENGINE_MAX_PARALLEL_STEPS_PER_RUN",
        ge=1,
        le=10_000,
        description="Steps running at the same time in one run.",
    )
    max_open_runs: int = setting(
        10_000,
        env="ENGINE_MAX_OPEN_RUNS",
        ge=1,
        description="Unfinished runs; further starts are refused with RATE_LIMITED.",
    )
    shutdown_grace_seconds: float = setting(
        3.0, env="ENGINE_SHUTDOWN_GRACE_SECONDS", ge=0, le=600,
        description="How long running steps may finish at shutdown, in seconds; the rest goes on at the next start.",
    )  # fmt: skip
    isolated_seconds: float = setting(
        300.0, env="ENGINE_ISOLATED_SECONDS", gt=0, le=86_400,
        description="Longest time one isolated step (user code, template, query) may ask for, in seconds.",
    )  # fmt: skip
    isolated_memory_mb: int = setting(
        1024, env="ENGINE_ISOLATED_MEMORY_MB", ge=16, le=1024 * 1024,
        description="Most memory one isolated step may ask for, in MiB.",
    )  # fmt: skip
    isolated_processes: int = setting(
        4, env="ENGINE_ISOLATED_PROCESSES", ge=1, le=1000,
        description="Isolated steps running at the same time; further ones wait.",
    )  # fmt: skip
    shell_commands: bool = setting(
        False, env="ENGINE_SHELL_COMMANDS",
        description="Whether workflows may run programs of this machine (isolated; needs bubblewrap).",
    )  # fmt: skip
    docker_containers: bool = setting(
        False, env="ENGINE_DOCKER_CONTAINERS",
        description="Whether workflows may start containers on the Docker engine of this machine.",
    )  # fmt: skip
    http_private_networks: str = setting(
        "", env="ENGINE_HTTP_PRIVATE_NETWORKS",
        description="Comma-separated networks that steps may reach though not public, such as 192.168.1.0/24.",
    )  # fmt: skip


class Keep(SettingsGroup):
    """How much history of ended runs is kept; 0 keeps everything."""

    days: float = setting(
        90.0, env="ENGINE_KEEP_DAYS", ge=0, le=36_500, description="Days an ended run is kept; 0 without limit."
    )  # fmt: skip
    runs: int = setting(
        1_000_000, env="ENGINE_KEEP_RUNS", ge=0, description="Ended runs that are kept; 0 without limit."
    )  # fmt: skip
    megabytes: int = setting(
        20_480, env="ENGINE_KEEP_MEGABYTES", ge=0,
        description="Size of the journal with its payload files above which the oldest runs go; 0 without limit.",
    )  # fmt: skip


class Additions(SettingsGroup):
    """Components of others: which may be installed over the sockets, and what their packages may take."""

    policy: Literal["any", "signed", "listed"] = setting(
        "signed", env="ENGINE_COMPONENT_POLICY",
        description=(
            "Which components may be installed over the sockets. any: all. signed: those that the engine's owner or a"
            " trusted author has signed. listed: those whose hash is trusted."
        ),
    )  # fmt: skip
    trusted: str = setting(
        "", env="ENGINE_COMPONENT_TRUSTED",
        description="Comma-separated addresses of trusted authors and SHA-256 hashes of trusted components.",
    )  # fmt: skip
    disabled: str = setting(
        "", env="ENGINE_DISABLED_COMPONENTS",
        description="Comma-separated ids of added components that are listed but never run.",
    )  # fmt: skip
    wheels: str = setting(
        "", env="ENGINE_WHEELS_DIR",
        description="Folder of wheels that takes the place of the package index for components' requirements.",
    )  # fmt: skip
    seconds: float = setting(
        300.0, env="ENGINE_ENVIRONMENT_SECONDS", gt=0, le=7200,
        description="Longest time the installation of one component's requirements may take, in seconds.",
    )  # fmt: skip
    megabytes: int = setting(
        1024, env="ENGINE_ENVIRONMENT_MB", ge=1, le=1024 * 1024,
        description="Most room that the requirements of one component may take, in MiB.",
    )  # fmt: skip


class Workers(SettingsGroup):
    """Worker processes that carry out steps, and how engine and workers find each other."""

    steps: Literal["engine", "workers"] = setting(
        "engine", env="ENGINE_STEPS",
        description="Where steps run. engine: in the engine's own process. workers: those that take long in "
        "`flowork worker` processes; needs REDIS_URL, DATABASE_URL (PostgreSQL) and ENGINE_WORKER_SECRET.",
    )  # fmt: skip
    redis_url: SecretStr | None = setting(
        None, env="REDIS_URL", secret=True, description="Redis through which workers hear that a step waits."
    )  # fmt: skip
    own_redis_url: SecretStr | None = setting(
        None, env="ENGINE_REDIS_URL", secret=True,
        description="Redis for engine and workers alone, with a database number of its own; empty: REDIS_URL.",
    )  # fmt: skip
    secret: SecretStr | None = setting(
        None, env="ENGINE_WORKER_SECRET", secret=True,
        description="Secret of engine and workers, at least 32 characters: signs tickets, encrypts steps on their way.",
    )  # fmt: skip
    lease_seconds: float = setting(
        15.0, env="ENGINE_WORKER_LEASE_SECONDS", ge=1, le=600,
        description="How long a worker may be silent before its step counts as lost, in seconds.",
    )  # fmt: skip
    resend_seconds: float = setting(
        15.0, env="ENGINE_WORKER_RESEND_SECONDS", ge=0.5, le=600,
        description="After how many seconds a step that no worker has taken is announced again.",
    )  # fmt: skip
    queues: str = setting(
        "default,heavy,docker", env="ENGINE_WORKER_QUEUES", pattern=f"^{_QUEUE}(,{_QUEUE})*$",
        description="Comma-separated queues that a worker serves.",
    )  # fmt: skip
    labels: str = setting(
        "", env="ENGINE_WORKER_LABELS", pattern=f"^$|^{_LABEL}(,{_LABEL}){{0,19}}$",
        description="Comma-separated labels of a worker, such as gpu: it also takes the steps that ask for one.",
    )  # fmt: skip
    processes: int = setting(
        2, env="ENGINE_WORKER_PROCESSES", ge=1, le=512, description="Steps that one worker carries out at a time."
    )  # fmt: skip
    drain_seconds: float = setting(
        30.0, env="ENGINE_WORKER_DRAIN_SECONDS", ge=0, le=86_400,
        description="How long a worker's steps may finish when it is told to stop, in seconds; others take the rest.",
    )  # fmt: skip
    canary_seconds: float = setting(
        30.0, env="ENGINE_WORKER_CANARY_SECONDS", ge=1, le=3600,
        description="How long an idle worker may leave a trial message unanswered before it is restarted, in seconds.",
    )  # fmt: skip

    http_host: str = setting(
        "127.0.0.1", env="ENGINE_WORKER_HTTP_HOST", description="Address of a worker's /healthz and /metrics."
    )  # fmt: skip
    http_port: int = setting(
        -1, env="ENGINE_WORKER_HTTP_PORT", ge=-1, le=65535,
        description="Port of a worker's /healthz (open) and /metrics (FLOWORK_METRICS_TOKEN); 0 picks a free one, "
        "-1: none.",
    )  # fmt: skip

    @property
    def broker_url(self) -> str:
        """The address of the Redis for workers, or an empty string."""
        return reveal(self.own_redis_url) or reveal(self.redis_url)


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


class Data(SettingsGroup):
    """Where the engine keeps things."""

    data_dir: Path = setting(
        Path("var/data"), env="FLOWORK_DATA_DIR", description="Folder of all data of the platform."
    )
    components: str = setting(
        "", env="ENGINE_COMPONENTS_DIR",
        description="Folder of components that were added to this engine. Empty: <data>/components.",
    )  # fmt: skip
    file_roots: str = setting(
        "", env="ENGINE_FILE_ROOTS",
        description="Folders workflows may read and write, joined by the path separator. Empty: <data>/files.",
    )  # fmt: skip
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = setting(
        "INFO", env="ENGINE_LOG_LEVEL", description="Least severe level that is logged."
    )
    log_format: Literal["text", "json"] = setting(
        "text", env="ENGINE_LOG_FORMAT", description="text or json (one object a line)."
    )

    @property
    def components_dir(self) -> Path:
        """The folder of added components."""
        return Path(self.components) if self.components else self.data_dir / "components"

    @property
    def engine_dir(self) -> Path:
        """The engine's own folder."""
        return self.data_dir / "engine"

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders that workflows may use."""
        given = [Path(part) for part in self.file_roots.split(os.pathsep) if part]
        return tuple(given) or (self.data_dir / "files",)


class Shared(SettingsGroup):
    """Keeping the journal in a database that several processes of this engine share."""

    database_url: SecretStr | None = setting(
        None, env="DATABASE_URL", secret=True,
        description="PostgreSQL URL (postgresql://user:password@host/name) of the journal and all other data of the "
        "engine, and of the claims of workers. Empty, or of another database: SQLite in the data folder.",
    )  # fmt: skip
    storage: Literal["database", "files"] = setting(
        "database", env="ENGINE_STORAGE",
        description="database: where DATABASE_URL says. files: always SQLite in the data folder.",
    )  # fmt: skip
    database_schema: str = setting(
        "engine", env="ENGINE_DATABASE_SCHEMA", pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="Schema of that database; each engine needs its own, its processes share it.",
    )  # fmt: skip
    lease_seconds: float = setting(
        15.0, env="ENGINE_LEASE_SECONDS", ge=0.5, le=600,
        description="How long a process may give no sign of life before another one takes its runs over, in seconds.",
    )  # fmt: skip


class EngineSettings(BaseModel):
    """All settings of the engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identity: Identity
    link: Link
    listen: Listen
    limits: Limits
    keep: Keep
    shared: Shared
    fronts: Fronts
    additions: Additions
    workers: Workers
    telemetry: Telemetry
    data: Data
