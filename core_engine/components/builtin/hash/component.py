"""Fingerprints of texts and files."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.files import open_regular
from core_engine.components.members import save_as_member, text_member
from core_engine.components.records import fail, succeed, text_of
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

Algorithm = Literal["sha256", "sha384", "sha512", "sha3_256", "blake2b", "sha1", "md5"]
_CHUNK = 1024 * 1024


class HashConfig(Config):
    """What is hashed and how."""

    algorithm: Algorithm = Field(
        "sha256",
        description="The hash function. sha1 and md5 are broken: only where an old system asks for them.",
    )
    text: Any = text_member()
    path: str = Field(
        "", description="A file to hash instead, inside the folders that workflows may use.",
        json_schema_extra=form(placeholder="{{ data.path }}"),
    )  # fmt: skip
    text_is: Literal["text", "hex", "base64"] = Field(
        "text", description="Whether the text is hashed as it is (UTF-8), or the bytes it spells."
    )
    key: str = Field(
        "", max_length=10_000,
        description="The secret of an HMAC, best a variable; empty makes a plain hash.",
        json_schema_extra=form(placeholder="{{vars.WEBHOOK_SECRET}}"),
    )  # fmt: skip
    key_is: Literal["text", "hex", "base64"] = Field("text", description="How the secret is written.")
    output: Literal["hex", "base64", "base64url"] = Field("hex", description="How the result is written.")
    compare_with: str = Field(
        "", max_length=1000,
        description="A hash to compare with, such as a signature that came along; the data then gets matches.",
        json_schema_extra=form(placeholder="{{ data.signature }}"),
    )  # fmt: skip
    save_as: str = save_as_member("hash")

    @model_validator(mode="after")
    def _key_reads(self) -> HashConfig:
        if self.key and "{{" not in self.key:
            _bytes(self.key, self.key_is, "the secret")
        return self


class Hash(Component[HashConfig]):
    """Hashes."""

    id = "hash"
    name = "Hash"
    description = "Works out the hash or HMAC of a text or file, and compares it safely with another one."
    category = "Data"
    execution = Execution.THREAD
    config_model = HashConfig

    @override
    def execute(self, context: Context, config: HashConfig, payload: Payload) -> Result:
        """Return the hash, and ``matches`` where there is one to compare with."""
        digest = _digest(context, config, payload.data)
        found: dict[str, Any] = {config.save_as: _written(digest, config.output)}
        if config.compare_with:
            given, own = config.compare_with.strip(), _written(digest, config.output)
            if config.output == "hex":
                given = given.lower()
            found["matches"] = hmac.compare_digest(given.encode("utf-8", "replace"), own.encode())
        return succeed(payload, **found)


def _digest(context: Context, config: HashConfig, data: Any) -> bytes:
    hasher: Any
    if config.key:
        try:
            secret = _bytes(config.key, config.key_is, "the secret")
        except ValueError as error:
            raise fail(str(error)) from None
        hasher = hmac.new(secret, digestmod=config.algorithm)
    else:
        hasher = hashlib.new(config.algorithm, usedforsecurity=False)
    if config.path:
        with open_regular(context.files.readable(config.path)) as file:
            while chunk := file.read(_CHUNK):
                hasher.update(chunk)
    else:
        try:
            hasher.update(_bytes(text_of(config.text, data), config.text_is, "the text"))
        except ValueError as error:
            raise fail(str(error)) from None
    return bytes(hasher.digest())


def _bytes(text: str, written: str, what: str) -> bytes:
    """Return the bytes a text stands for; raises ValueError without showing the text."""
    try:
        if written == "hex":
            return bytes.fromhex(text)
        if written == "base64":
            return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"{what} is not {written}") from None
    return text.encode("utf-8", "replace")


def _written(digest: bytes, output: str) -> str:
    if output == "hex":
        return digest.hex()
    encode = base64.b64encode if output == "base64" else base64.urlsafe_b64encode
    return encode(digest).decode("ascii").rstrip("=" if output == "base64url" else "")
