"""The settings of several processes of one engine that all take clients."""

from __future__ import annotations

from typing import Literal

from shared.settings import SettingsGroup, setting


class Fronts(SettingsGroup):
    """Whether the processes of one engine that do not work take clients for the one that does, and how they meet."""

    mode: Literal["off", "on"] = setting(
        "off", env="ENGINE_FRONTS",
        description="Of several processes with one DATABASE_URL, whether those that stand by take clients and pass "
        "their messages on to the one that works. Needs the same ENGINE_SIGNING_KEY everywhere.",
    )  # fmt: skip
    host: str = setting(
        "127.0.0.1", env="ENGINE_FRONTS_HOST",
        description="Address where the process that works listens for the others. Not for clients: keep it private.",
    )  # fmt: skip
    port: int = setting(
        8766, env="ENGINE_FRONTS_PORT", ge=0, le=65535,
        description="Port where the process that works listens for the others; 0 picks a free one.",
    )  # fmt: skip
    address: str = setting(
        "", env="ENGINE_FRONTS_ADDRESS", pattern=r"^$|^[^\s:/]+(:[0-9]{1,5})?$|^\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?$",
        description="Host, or host:port, under which the others reach this process. Empty: where it listens, or this "
        "machine's name where it listens on all addresses.",
    )  # fmt: skip
    hold_seconds: float = setting(
        30.0, env="ENGINE_FRONTS_HOLD_SECONDS", ge=0, le=300,
        description="How long a message may wait at a process that has lost the one that works, in seconds; then it "
        "is refused.",
    )  # fmt: skip
