"""Turns the frames of an engine into the contract's event models."""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from shared.contract import catalog
from shared.contract.base import Event
from shared.contract.envelope import ErrorEvent
from shared.errors import ErrorCode, FloworkError


class EventParser:
    """Parses frames by their ``type``; a member that only a newer engine knows is ignored."""

    def __init__(self) -> None:
        self._events = catalog.events()

    def parse(self, text: str | bytes) -> list[Event]:
        """Return the frame's events, in order; types that this client does not know are left out.

        A ``batch`` carries several frames, because the client asked for ``frames=batch`` when it connected.
        Raises FloworkError INTERNAL when the frame is not a JSON object or does not fit its model.
        """
        try:
            frame = json.loads(text)
            frames = frame["frames"] if frame["type"] == "batch" else [frame]
            known = ((self._events.get(item["type"]), item) for item in frames)
            return [model.model_validate(item, extra="ignore") for model, item in known if model]
        except (ValueError, TypeError, KeyError, ValidationError) as error:
            shown = text if isinstance(text, str) else text.decode("utf-8", "replace")
            raise FloworkError(
                ErrorCode.INTERNAL, f"The engine sent a frame that does not fit the contract: {shown[:200]!r}"
            ) from error


def error_of(event: ErrorEvent) -> FloworkError:
    """Return the error that an engine reported, with its code; an unknown code becomes INTERNAL."""
    return FloworkError(known_code(event.code) or ErrorCode.INTERNAL, event.message, details=event.details)


def known_code(code: Any) -> ErrorCode | None:
    """Return the code of that name if this version knows it."""
    return ErrorCode(code) if isinstance(code, str) and code in ErrorCode.__members__ else None
