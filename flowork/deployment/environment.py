"""The ``.env`` file of an installation: fresh random secrets, each used by one purpose, and where it is published."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from shared.errors import ErrorCode, FloworkError
from shared.ids import new_claim_code, new_engine_token, new_id, new_service_secret


def render() -> str:
    """Return the text of a new file; no two calls give the same secrets."""
    return f"""\
# Secrets of this installation, for docker-compose.yml and for flowork run in this folder. Keep a copy in a safe place
# beside the backups; never put it under version control.

# shared by gateway and engine
GATEWAY_SECRET_TOKEN={new_service_secret()}

# the engine that comes with the gateway, and the one-time code to claim it with
FLOWORK_ENGINE_ID={new_id()}
FLOWORK_ENGINE_TOKEN={new_engine_token()}
FLOWORK_CLAIM_CODE={new_claim_code()}

# encrypts secret variables
ENGINE_MASTER_KEY={secrets.token_hex(32)}

# where the gateway's port is published on this machine, and the origin under which browsers reach it
FLOWORK_PUBLISH=127.0.0.1:8000
GATEWAY_PUBLIC_URL=http://127.0.0.1:8000

# profile "tunnel": the token of your Cloudflare tunnel
CLOUDFLARED_TOKEN=

# opens /metrics of gateway and engine to Prometheus, and nothing else
FLOWORK_METRICS_TOKEN=flork_metrics_{secrets.token_hex(24)}

# for several machines: deploy/docker/scale.yml
POSTGRES_PASSWORD={secrets.token_hex(24)}
REDIS_PASSWORD={secrets.token_hex(24)}
ENGINE_WORKER_SECRET={secrets.token_hex(32)}
# COMPOSE_FILE=docker-compose.yml:deploy/docker/scale.yml
# COMPOSE_PROFILES=scale

# deploy/observability/compose.yml
GRAFANA_PASSWORD={secrets.token_hex(12)}
"""


def write(path: Path) -> None:
    """Write a new file for its owner's eyes only; raises CONFLICT where there is one already, CONFIGURATION else."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise FloworkError(
            ErrorCode.CONFLICT,
            f"{path} exists already and is not touched: with other secrets the engine would be a stranger.",
        ) from None
    except OSError as error:
        raise FloworkError(ErrorCode.CONFIGURATION, f"Cannot write {path}: {error.strerror}.") from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(render())
        file.flush()
        os.fsync(file.fileno())
