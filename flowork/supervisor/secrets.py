"""The secrets of a platform on one machine: made once, kept in the data folder for its owner's eyes only."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from shared.errors import ErrorCode, FloworkError
from shared.ids import new_claim_code, new_engine_token, new_id, new_service_secret

FILE = "secrets.json"


@dataclass(frozen=True, slots=True)
class PlatformSecrets:
    """What gateway and engine share. ``claim_code`` is empty once the engine has an owner."""

    service_secret: str = field(repr=False)
    engine_id: str
    engine_token: str = field(repr=False)
    claim_code: str = field(repr=False)

    @classmethod
    def create(cls) -> PlatformSecrets:
        """Return fresh secrets."""
        return cls(new_service_secret(), new_id(), new_engine_token(), new_claim_code())

    def for_gateway(self) -> dict[str, str]:
        """Return the gateway's settings: the shared secret and the engine that comes with the platform."""
        return {
            "GATEWAY_SECRET_TOKEN": self.service_secret,
            "GATEWAY_BUNDLED_ENGINE_ID": self.engine_id,
            "GATEWAY_BUNDLED_ENGINE_TOKEN": self.engine_token,
        }

    def for_engine(self, gateway_url: str) -> dict[str, str]:
        """Return the engine's settings: who it is, which gateway it belongs to, and how it is claimed."""
        return {
            "GATEWAY_URL": gateway_url,
            "GATEWAY_SECRET_TOKEN": self.service_secret,
            "FLOWORK_ENGINE_ID": self.engine_id,
            "FLOWORK_ENGINE_TOKEN": self.engine_token,
            "FLOWORK_CLAIM_CODE": self.claim_code,
        }


def load_or_create(data_dir: Path) -> PlatformSecrets:
    """Return the folder's secrets, made now if there are none; raises CONFIGURATION for a damaged file."""
    path = data_dir / FILE
    try:
        return PlatformSecrets(**json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        secrets = PlatformSecrets.create()
        save(data_dir, secrets)
        return secrets
    except (OSError, ValueError, TypeError) as error:
        raise FloworkError(
            ErrorCode.CONFIGURATION,
            f"Cannot read the secrets in {path} ({error}). Restore the file; without it the engine is a stranger.",
        ) from error


def adopt(secrets: PlatformSecrets, environ: Mapping[str, str]) -> PlatformSecrets:
    """Let secrets that the user has set himself in the environment win."""
    return replace(
        secrets,
        service_secret=environ.get("GATEWAY_SECRET_TOKEN") or secrets.service_secret,
        engine_id=environ.get("FLOWORK_ENGINE_ID") or secrets.engine_id,
        engine_token=environ.get("FLOWORK_ENGINE_TOKEN") or secrets.engine_token,
    )


def burn_claim(data_dir: Path) -> None:
    """Forget the claim code for good: the engine has its owner."""
    save(data_dir, replace(load_or_create(data_dir), claim_code=""))


def save(data_dir: Path, secrets: PlatformSecrets) -> None:
    """Write the file whole, with mode 0600."""
    handle, temporary = tempfile.mkstemp(dir=data_dir, prefix=".secrets-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(secrets), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(data_dir / FILE)
