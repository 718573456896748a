"""A front's way to the process that leads: found in the database, met, held, and looked for again when it is lost."""

from __future__ import annotations

import asyncio
import logging

from core_engine.fronts.beating import beat
from core_engine.fronts.channel import Channel, StrangerError, meet_leader
from core_engine.fronts.courier import Courier
from core_engine.fronts.places import find_place
from core_engine.fronts.records import read_from_leader
from core_engine.fronts.sealing import LinkKey
from core_engine.storage import EngineStore
from shared.errors import FloworkError

PAUSE_SECONDS = 0.3
MAX_SLICE = 64
_log = logging.getLogger(__name__)


class LeaderLink:
    """Keeps a courier in contact: `seek` runs until it is cancelled."""

    def __init__(self, store: EngineStore, key: LinkKey, courier: Courier, silence_seconds: float) -> None:
        self._store = store
        self._key = key
        self._courier = courier
        self._silence = silence_seconds
        self._epoch = 0

    async def seek(self) -> None:
        """Look for the process that leads and serve its channel, again and again."""
        told = ""
        while True:
            channel, reason = await self._meet()
            if channel is not None:
                told = ""
                _log.info("this front is linked to the process that works", extra={"epoch": self._epoch})
                await self.serve(channel, self._silence)
                _log.warning("this front has lost the process that works")
            elif reason != told:
                told = reason
                _log.info("this front looks for the process that works", extra={"reason": reason})
            await asyncio.sleep(PAUSE_SECONDS)

    async def serve(self, channel: Channel, silence_seconds: float) -> None:
        """Pass on both ways over a channel until its end, or a silence."""
        beating = asyncio.create_task(beat(channel, silence_seconds), name="front beat")
        try:
            with self._courier.over(channel):
                await self._receive(channel, silence_seconds)
        except TimeoutError:
            _log.warning("the process that works gave no sign of life")
        except ValueError as error:
            reason = str(error)[:200]
            _log.warning("the process that works said what cannot be true", extra={"reason": reason})
        finally:
            channel.close()
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    async def _receive(self, channel: Channel, silence_seconds: float) -> None:
        count = 0
        while True:
            async with asyncio.timeout(silence_seconds):
                data = await channel.receive()
            if data is None:
                return
            self._courier.take(read_from_leader(data))
            count += 1
            if count % MAX_SLICE == 0:
                await asyncio.sleep(0)  # a channel with a full queue would never wait by itself

    async def _meet(self) -> tuple[Channel | None, str]:
        try:
            place = await find_place(self._store)
        except FloworkError as error:
            return None, error.message
        if place is None:
            return None, "no process says that it works"
        if place.epoch < self._epoch:
            return None, "the process that is named has been followed by another one"
        try:
            channel = await meet_leader(place.host, place.port, self._key, place.epoch)
        except (OSError, TimeoutError, StrangerError, ValueError, OverflowError) as error:
            # the last two: a host or a port that cannot be; the next process that works may say better ones
            return None, f"{place.host}:{place.port}: {str(error) or type(error).__name__}"
        self._epoch = place.epoch
        return channel, ""
