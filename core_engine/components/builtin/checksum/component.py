"""Computes the checksum of a file."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.files import open_regular
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_CHUNK_BYTES = 1024 * 1024


class ChecksumConfig(Config):
    """Which file, and what is expected."""

    path: str = Field(
        min_length=1, max_length=4096, description="The file, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    algorithm: Literal["sha256", "sha512", "sha1", "md5", "blake2b", "sha3_256"] = Field(
        "sha256", description="How it is computed. sha1 and md5 find accidents, not forgeries."
    )
    expected: str = Field(
        "", max_length=300,
        description="The checksum it should have, as hexadecimal digits; empty compares nothing.",
        json_schema_extra=form(placeholder="{{ data.sha256 }}"),
    )  # fmt: skip
    at_mismatch: Literal["fail", "continue"] = Field(
        "fail", description="What happens when it has another one: the step fails, or says so in matches."
    )


class Checksum(Component[ChecksumConfig]):
    """Computes a checksum."""

    id = "checksum"
    name = "Checksum"
    description = "Computes the checksum of a file and compares it with an expected one."
    category = "Files"
    execution = Execution.THREAD
    config_model = ChecksumConfig

    @override
    def execute(self, context: Context, config: ChecksumConfig, payload: Payload) -> Result:
        """Return ``path``, ``algorithm``, ``checksum``, ``size_bytes`` and ``matches`` (null when none is expected)."""
        path = context.files.readable(config.path)
        made = hashlib.new(config.algorithm, usedforsecurity=False)
        size = 0
        with open_regular(path) as file:
            while chunk := file.read(_CHUNK_BYTES):
                made.update(chunk)
                size += len(chunk)
        checksum = made.hexdigest()
        matches = _matches(config, checksum)
        if matches is False and config.at_mismatch == "fail":
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED,
                f"{path.name} has another {config.algorithm} than expected: {checksum}.",
            )
        data = {
            "path": str(path), "algorithm": config.algorithm, "checksum": checksum, "size_bytes": size,
            "matches": matches,
        }  # fmt: skip
        return Result.on("success", data, payload.history)


def _matches(config: ChecksumConfig, checksum: str) -> bool | None:
    expected = config.expected.strip().lower().removeprefix(f"{config.algorithm}:")
    if not expected:
        return None
    return hmac.compare_digest(expected.encode(), checksum.encode())
