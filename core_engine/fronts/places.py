"""Where the fronts of an engine find the process that leads: told in the database, by that process alone."""

from __future__ import annotations

import asyncio
import logging
from typing import NamedTuple

import msgspec

from core_engine.storage import EngineStore
from shared.errors import ErrorCode, FloworkError

KEY = "fronts.leader"
RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where the process that leads since ``epoch`` takes fronts."""

    epoch: int
    host: str
    port: int


async def tell_place(store: EngineStore, place: Place) -> None:
    """Store it, however long that takes; one of a process that does not lead any more is refused by the store."""
    while True:
        try:
            await store.put(KEY, msgspec.json.encode(place))
        except FloworkError as error:
            _log.warning("cannot tell the fronts where this process is", extra={"reason": error.message})
            if store.failure:
                return
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def find_place(store: EngineStore) -> Place | None:
    """Return what the process that leads has told, or None; raises FloworkError where that cannot be read."""
    told = await asyncio.to_thread(store.get, KEY)
    try:
        return msgspec.json.decode(told, type=Place) if told else None
    except msgspec.DecodeError as error:
        text = "What the database says of the process that works cannot be read."
        raise FloworkError(ErrorCode.JOURNAL_CORRUPT, text) from error
