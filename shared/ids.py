"""Identifiers and secrets of the platform: how they are made and which spellings are accepted."""

from __future__ import annotations

import re
import secrets
import uuid

ADDRESS_PATTERN = r"^0x[0-9a-fA-F]{40}$"
ENGINE_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
JOB_ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$"
LOCAL_ENGINE_DEFAULT = "local-engine-default"

_ADDRESS = re.compile(ADDRESS_PATTERN)
_JOB_ID = re.compile(JOB_ID_PATTERN)


def new_id() -> str:
    """Return a fresh uuid4 as text: user, engine, run and request ids."""
    return str(uuid.uuid4())


def new_engine_token() -> str:
    """Return a fresh engine token: ``dev_engine_`` and 32 hex digits (128 random bits)."""
    return f"dev_engine_{secrets.token_hex(16)}"


def new_service_secret() -> str:
    """Return a fresh secret shared by gateway and engine: ``flork_sec_`` and 64 hex digits."""
    return f"flork_sec_{secrets.token_hex(32)}"


def new_claim_code() -> str:
    """Return a one-time claim code of 128 random bits, safe inside a URL."""
    return secrets.token_urlsafe(16)


def is_address(text: str) -> bool:
    """Tell whether the text is a wallet address: ``0x`` and 40 hex digits, any case."""
    return _ADDRESS.fullmatch(text) is not None


def is_job_id(text: str) -> bool:
    """Tell whether the text may name a run."""
    return _JOB_ID.fullmatch(text) is not None


def same_address(one: str, other: str) -> bool:
    """Compare two addresses without regard to the EIP-55 capital letters."""
    return one.lower() == other.lower()
