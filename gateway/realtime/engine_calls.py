"""Questions that the gateway itself has to a caller's engine, asked as the operations that the engine declares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import ValidationError

from gateway.realtime.engine_choice import EngineChoice
from gateway.realtime.engine_links import EngineLinks
from shared.contract.base import Role
from shared.contract.proxy import EngineAnswer, EngineRequest
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id
from shared.signing.strict_json import check_depth

SECONDS = 10.0
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What an engine answered; ``value`` is its JSON, ``role`` the caller's role there as the gateway knows it."""

    engine_id: str
    role: Role
    status: int
    value: Any


class EngineCalls:
    """Asks engines in a caller's name."""

    def __init__(self, links: EngineLinks, choice: EngineChoice) -> None:
        self._links = links
        self._choice = choice

    def get(self, caller: str, path: str, *, wanted: str | None = None) -> Told:
        """Ask the ``wanted`` engine, else a live one of the caller's.

        ``path`` is encoded and relative to ``/api/v1``. Raises ENGINE_UNAVAILABLE.
        """
        choice = self._choice.choose(caller, wanted, None)
        engine_id = choice.link.engine_id
        request = EngineRequest(id=new_id(), method="GET", path=f"/api/v1{path}", user=caller)
        told = self._links.ask(engine_id, "engine_request", request.model_dump(), seconds=SECONDS)
        try:
            answer = EngineAnswer.model_validate(told)
            check_depth(answer.body, MAX_DEPTH)
            value = msgspec.json.decode(answer.body) if answer.body else None
        except (ValidationError, msgspec.DecodeError, UnicodeError) as error:
            raise FloworkError(
                ErrorCode.ENGINE_UNAVAILABLE, "The engine gave no answer that this gateway understands."
            ) from error
        return Told(engine_id, choice.role, answer.status, value)
