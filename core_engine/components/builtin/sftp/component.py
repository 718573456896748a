"""Works with files on a server that is reached with SSH."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from core_engine.components.dialling import Host, Port
from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class SftpConfig(Config):
    """The server, how to sign in, and what to do."""

    action: Literal["list", "download", "upload", "delete", "make_folder"] = Field(
        "list", description="What is done on the server."
    )
    host: Host = Field(title="Server", description="The server's name.")
    port: Port = Field(22, description="Its port.")
    username: str = Field(min_length=1, max_length=200, description="User name.")
    password: str = Field(
        "", max_length=4000, description="Password; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.SFTP_PASSWORD }}", secret=True),
    )  # fmt: skip
    private_key: str = Field(
        "", max_length=40_000, description="Private key (OpenSSH or PEM) instead of a password; better as a secret.",
        json_schema_extra=form(widget="textarea", rows=4, placeholder="{{ vars.SFTP_KEY }}", secret=True),
    )  # fmt: skip
    passphrase: str = Field(
        "", max_length=4000, description="Passphrase of the private key, when it has one.",
        json_schema_extra=form(placeholder="{{ vars.SFTP_PASSPHRASE }}", secret=True),
    )  # fmt: skip
    host_key_check: Literal["given", "first_use"] = Field(
        "given",
        description=(
            "How the server proves that it is the right one. given: it must have the host key below. first_use:"
            " whatever it shows first is noted in a file, and it must show the same ever after."
        ),
    )
    host_key: str = Field(
        "", max_length=4000,
        description="The server's public key as ssh-keyscan prints it, or its fingerprint (SHA256:…), for given.",
        json_schema_extra=form(placeholder="ssh-ed25519 AAAAC3Nz…"),
    )  # fmt: skip
    host_keys_file: str = Field(
        "sftp_host_keys.txt", min_length=1, max_length=4096,
        description="File that notes host keys, inside the folders of workflows, for first_use.",
    )  # fmt: skip
    remote_path: str = Field(
        ".", min_length=1, max_length=4096, description="File or folder on the server.",
        json_schema_extra=form(placeholder="outgoing/orders.csv"),
    )  # fmt: skip
    local_path: str = Field(
        "", max_length=4096,
        description="File here, inside the folders of workflows, for download and upload; missing folders are made.",
    )  # fmt: skip
    overwrite: bool = Field(
        False, description="Replace a file that is there already; otherwise the step fails."
    )
    limit: int = Field(1000, ge=1, le=10_000, description="Most items of a list.")
    max_mib: float = Field(
        1024, gt=0, le=65_536, title="Largest file (MiB)", description="A larger file is refused, in MiB."
    )
    timeout_seconds: float = Field(
        120.0, gt=0, le=86_400, description="Longest time it may take, in seconds."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.action in {"download", "upload"} and not self.local_path:
            raise ValueError("local_path: download and upload need a file here")
        if self.host_key_check == "given" and not self.host_key.strip():
            raise ValueError("host_key: the server's key must be given, or host_key_check be first_use")
        if not (self.password or self.private_key):
            raise ValueError("password: a password or a private key is needed")
        return self


class Sftp(Component[SftpConfig]):
    """Works with files on a server."""

    id = "sftp"
    name = "SFTP"
    description = "Lists, downloads, uploads and deletes files on a server that is reached with SSH."
    category = "Network"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = SftpConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: SftpConfig) -> StepPolicy:
        """Repeat what has no effect, and what ends the same however often it is done."""
        if config.action == "list":
            return StepPolicy.REPEATABLE
        settled = config.action == "make_folder" or (
            config.overwrite and config.action in {"download", "upload"}
        )
        return StepPolicy.KEYED if settled else StepPolicy.ONCE

    @override
    async def execute(self, context: Context, config: SftpConfig, payload: Payload) -> Result:
        """Return what was done.

        list: ``items`` (name, path, kind, size_bytes, modified), ``count``, ``truncated``. download and upload:
        ``path`` (here), ``remote_path``, ``size_bytes``, ``sha256``. delete and make_folder: ``remote_path``.
        All: ``host_key``, the fingerprint the server showed.
        """
        from core_engine.components.builtin.sftp.session import work  # noqa: PLC0415 - heavy, only where used

        data = await work(self._network, config, context)
        context.log(
            f"SFTP {config.action.replace('_', ' ')} of {config.remote_path} on {config.host} is done."
        )
        return Result.on("success", data, payload.history)

    @override
    async def simulate(self, context: Context, config: SftpConfig, payload: Payload) -> Result:
        """Connect to nobody and write nothing."""
        context.log(
            f"Simulated: would {config.action.replace('_', ' ')} {config.remote_path} on {config.host}."
        )
        data: dict[str, Any] = {"remote_path": config.remote_path, "simulated": True}
        if config.action == "list":
            data |= {"items": [], "count": 0, "truncated": False}
        return Result.on("success", data, payload.history)
