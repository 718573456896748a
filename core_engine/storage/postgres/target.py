"""Which database and which schema of it an engine keeps its data in."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from shared.errors import ErrorCode, FloworkError

DEFAULT_SCHEMA = "engine"
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_URL = re.compile(r"postgres(?:ql)?(?:\+psycopg)?://")


@dataclass(frozen=True, slots=True)
class Target:
    """A schema of a PostgreSQL database; all processes of one engine share it. Make it with `Target.of`."""

    url: str
    schema: str

    @classmethod
    def of(cls, database_url: str, schema: str = DEFAULT_SCHEMA) -> Target:
        """Return what a DATABASE_URL of PostgreSQL names; raises CONFIGURATION for an unusable one."""
        if not _URL.match(database_url):
            message = "DATABASE_URL is not a PostgreSQL URL, such as postgresql://user:password@host/name."
            raise FloworkError(ErrorCode.CONFIGURATION, message)
        if not _SCHEMA.fullmatch(schema):
            message = "ENGINE_DATABASE_SCHEMA must be lower-case letters, digits and _, 63 at most."
            raise FloworkError(ErrorCode.CONFIGURATION, message)
        return cls(_URL.sub("postgresql://", database_url, count=1), schema)

    def lock_key(self, purpose: str) -> int:
        """Return the number of an advisory lock for a purpose of this schema (signed 64 bits)."""
        digest = hashlib.sha256(f"flowork engine|{self.schema}|{purpose}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)
