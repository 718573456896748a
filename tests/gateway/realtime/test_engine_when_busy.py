"""A database that is busy for a moment is no reason to take an engine for a stranger, or for absent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.auth.engine_token import REFUSAL
from gateway.realtime.engine import EngineEndpoint
from gateway.realtime.presence import MemoryPresence
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError

ENGINE, TOKEN = "engine-1", "dev_engine_" + "0" * 32


def busy(*given: object) -> Any:
    raise FloworkError(ErrorCode.BUSY, "The database is busy; try again.", retry_after=1)


def stranger(*given: object) -> Any:
    raise FloworkError(ErrorCode.UNAUTHENTICATED, REFUSAL)


class House:
    """An endpoint over a real presence; what asks the database is what a test wants."""

    def __init__(self, *, authenticate: Any = None, reconcile: Any = None) -> None:
        self.told: list[str] = []
        self.presence = MemoryPresence(ManualClock(), 30)
        self.owners = SimpleNamespace(reconcile=reconcile or (lambda *given: None))
        parts: dict[str, Any] = {
            "server": SimpleNamespace(publish=lambda namespace, event, data, to: self.told.append(event)),
            "tokens": SimpleNamespace(authenticate=authenticate),
            "service_key": SimpleNamespace(admits=lambda key: True),
            "presence": self.presence,
            "gui": None,
            "relay": SimpleNamespace(engine_up=lambda engine_id: self.told.append("up")),
            "seen": SimpleNamespace(note=lambda engine_id: None),
            "owners": self.owners,
            "steadiness": SimpleNamespace(
                heard=lambda engine_id: None, came=lambda engine_id: self.told.append("came")
            ),
        }
        self.endpoint = EngineEndpoint(**parts)

    def connect(self) -> None:
        self.endpoint.accept("sid", {}, {"engine_id": ENGINE, "token": TOKEN})

    def ready(self) -> Any:
        known: Any = SimpleNamespace(id=ENGINE)
        return self.endpoint.receive("sid", known, "engine_ready", [{"engine_id": ENGINE}])


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [(busy, ErrorCode.BUSY, []), (stranger, ErrorCode.UNAUTHENTICATED, ["auth_failed"])],
)
def test_only_a_wrong_token_is_called_wrong(answer: Any, code: ErrorCode, told: list[str]) -> None:
    house = House(authenticate=answer)
    with pytest.raises(FloworkError) as caught:
        house.connect()
    assert caught.value.code is code
    assert house.told == told


def test_an_engine_that_is_up_is_online_also_when_its_owner_cannot_be_looked_up_now() -> None:
    house = House(reconcile=busy)
    house.presence.connect(ENGINE, "sid")
    with pytest.raises(FloworkError) as caught:
        house.ready()
    assert caught.value.code is ErrorCode.BUSY  # so the engine says it again
    assert house.presence.is_online(ENGINE)
    house.owners.reconcile = lambda *given: None
    assert house.ready() == {"ok": True}
    assert house.told == ["came", "up"]
