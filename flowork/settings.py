"""The settings of the command line and the client, read once at its start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

from shared.settings import SettingsGroup, load, setting


class Places(SettingsGroup):
    """Where the platform is."""

    data_dir: Path = setting(
        Path("var/data"), env="FLOWORK_DATA_DIR", description="Folder of all data of the platform."
    )
    gateway_url: str = setting(
        "", env="GATEWAY_URL",
        description="Address of the gateway; empty: the one that runs on this machine with the same data folder.",
    )  # fmt: skip
    engine_socket: str = setting(
        "", env="FLOWORK_ENGINE_SOCKET",
        description="Address of the engine's raw WebSocket for the command line; empty: as for the gateway.",
    )  # fmt: skip


class Identities(SettingsGroup):
    """Who signs what the command line sends."""

    home: Path | None = setting(
        None, env="FLOWORK_HOME",
        description="Folder of the command line's own files; empty: flowork in the user's configuration folder.",
    )  # fmt: skip
    config_home: Path | None = setting(
        None, env="XDG_CONFIG_HOME", description="The user's configuration folder; empty: ~/.config."
    )
    name: str = setting(
        "",
        env="FLOWORK_IDENTITY",
        description="Name of the identity to use; empty: the only one, or default.",
    )
    private_key: SecretStr | None = setting(
        None, env="FLOWORK_PRIVATE_KEY", secret=True,
        description="Private key to sign with, for scripts; no identity file is used then.",
    )  # fmt: skip
    passphrase: SecretStr | None = setting(
        None, env="FLOWORK_PASSPHRASE", secret=True,
        description="Passphrase of the identity file, for scripts; otherwise it is asked for.",
    )  # fmt: skip

    @property
    def folder(self) -> Path:
        """The folder of the identity files."""
        base = self.home or (self.config_home or Path.home() / ".config") / "flowork"
        return base / "identities"


class CommandLineSettings(BaseModel):
    """All settings of the command line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    places: Places
    identities: Identities


def load_settings(environ: Mapping[str, str]) -> CommandLineSettings:
    """Read the settings; raises CONFIGURATION naming every wrong one."""
    return load(CommandLineSettings, environ, prefixes=())
