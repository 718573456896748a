"""A page's command as it goes to an engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gateway.auth.socket_handshake import SignIn
from shared.contract.relay import RelayAuth, RelayCommand
from shared.contract.share_link import RelayShare
from shared.tracing import TRACEPARENT

# Members by which a client could pretend to be somebody, or that are for the gateway alone.
NOT_PASSED_ON = ("user_context", "_target_user_id", "__fac__", "target_engine_id", "share_token")


def auth_of(sign_in: SignIn) -> RelayAuth:
    """Return how a page signed in, for the engine to check."""
    return RelayAuth(address=sign_in.address, message=sign_in.message, signature=sign_in.signature)


def command_of(  # noqa: PLR0913 - what the frame consists of
    sign_in: SignIn,
    event: str,
    payload: dict[str, Any],
    *,
    share: RelayShare | None,
    max_bytes: int,
    traceparent: str | None,
) -> RelayCommand:
    """Return the frame for the engine: the signed envelope as it came, else the payload without what is not for it."""
    envelope, text = payload.get("envelope"), None
    if not isinstance(envelope, str):
        envelope = None
        kept = {name: value for name, value in payload.items() if name not in NOT_PASSED_ON}
        text = msgspec.json.encode(kept).decode()
    return RelayCommand(
        session=sign_in.page,
        auth=auth_of(sign_in),
        max_bytes=max_bytes,
        event=event,
        payload=text,
        envelope=envelope,
        share=share,
        traceparent=traceparent,
    )


def trace_of(args: Sequence[Any]) -> object:
    """Return what a frame says of its trace, beside its payload; nothing was checked yet."""
    frame = args[0] if args else None
    return frame.get(TRACEPARENT) if isinstance(frame, dict) else None
