"""The people at each preset: in memory only, one entry a connection, gone with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core_engine.kernel.ports import Sink
from shared.contract.company import Companion, PresetChanged, PresetCompany
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

MAX_OPEN = 8
"""Presets that one connection may have open."""
MAX_SHOWN = 32
"""People of a preset that are listed; the others are counted."""
PACE_SECONDS = 0.25
"""The least time between two lists that are sent of one preset."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Who opens a preset, on which connection: ``line`` is the connection, ``deliver`` sends to it."""

    line: Hashable
    deliver: Sink
    address: str
    visitor: bool
    edits: bool
    selected: tuple[str, ...] = ()
    seat: str | None = None
    id: str = ""


class Company:
    """The people at the presets. ``newest`` says which version is a preset's newest, 0 where there is no preset."""

    def __init__(self, newest: Callable[[str], Awaitable[int]]) -> None:
        self._newest = newest
        self._open: dict[str, dict[Hashable, Guest]] = {}
        self._planned: dict[str, asyncio.TimerHandle] = {}

    async def watch(self, preset: str, guest: Guest, still_there: Callable[[], bool]) -> PresetCompany:
        """Seat somebody, or change what he has selected; the others hear of it a moment later.

        Raises NOT_FOUND for a preset that does not exist, RATE_LIMITED for too many presets on one connection.
        ``still_there`` tells whether the connection is: it may end while the newest version is looked up.
        """
        version = await self._newest(preset)
        if version == 0:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no preset {preset!r}.")
        people = self._open.get(preset, {})
        known = people.get(guest.line)
        if known is None and self._seats(guest.line) >= MAX_OPEN:
            message = f"One connection may have at most {MAX_OPEN} presets open."
            raise FloworkError(ErrorCode.RATE_LIMITED, message, retry_after=1)
        seated = replace(guest, id=known.id if known else new_id())
        if still_there():
            self._move(people, seated)
            self._open.setdefault(preset, people)[guest.line] = seated
            if seated != known:
                self._plan(preset)
        return self._list(preset, seated, version)

    def leave(self, preset: str, line: Hashable) -> None:
        """Take somebody off a preset; nothing happens where he is not there."""
        people = self._open.get(preset, {})
        if people.pop(line, None) is None:
            return
        if people:
            self._plan(preset)
        else:
            self._forget(preset)

    def seats_of(self, line: Hashable) -> list[tuple[str, Guest]]:
        """Return the presets that a connection has open."""
        return [(preset, people[line]) for preset, people in self._open.items() if line in people]

    def leave_all(self, line: Hashable) -> None:
        """Take a connection off every preset: it is gone."""
        for preset in [name for name, people in self._open.items() if line in people]:
            self.leave(preset, line)

    async def preset_changed(self, preset: str, workflow_data: Mapping[str, Any] | None, by: str) -> None:
        """Tell everybody at a preset that a version was saved, or that it was deleted."""
        if preset not in self._open:
            return
        version = await self._newest(preset) if workflow_data is not None else None
        for guest in list(self._open.get(preset, {}).values()):
            author = None if guest.visitor else by or None
            frame = PresetChanged(preset=preset, version=version, author_id=author)
            guest.deliver((frame.model_dump(mode="json"),))

    def close(self) -> None:
        """Tell nobody anything any more."""
        for preset in list(self._open):
            self._forget(preset)

    @staticmethod
    def _move(people: dict[Hashable, Guest], guest: Guest) -> None:
        """Take a page off the connection that it used before."""
        if guest.seat is None:
            return
        for line, other in list(people.items()):
            if line != guest.line and (other.seat, other.address) == (guest.seat, guest.address):
                del people[line]

    def _seats(self, line: Hashable) -> int:
        return sum(line in people for people in self._open.values())

    def _forget(self, preset: str) -> None:
        self._open.pop(preset, None)
        planned = self._planned.pop(preset, None)
        if planned is not None:
            planned.cancel()

    def _plan(self, preset: str) -> None:
        """Send the list soon, once for all that changes until then."""
        if preset not in self._planned:
            loop = asyncio.get_running_loop()
            self._planned[preset] = loop.call_later(PACE_SECONDS, self._tell, preset)

    def _tell(self, preset: str) -> None:
        self._planned.pop(preset, None)
        for guest in list(self._open.get(preset, {}).values()):
            guest.deliver((self._list(preset, guest).model_dump(mode="json"),))

    def _list(self, preset: str, receiver: Guest, version: int | None = None) -> PresetCompany:
        people = list(self._open.get(preset, {}).values())
        shown = [_shown(guest, to=receiver) for guest in people[:MAX_SHOWN]]
        return PresetCompany(
            preset=preset, you=receiver.id, people=shown, more=len(people) - len(shown), version=version
        )


def _shown(guest: Guest, *, to: Guest) -> Companion:
    """Return how somebody is shown to another; a visitor is not told who works on the engine."""
    return Companion(
        id=guest.id,
        address=None if guest.visitor or to.visitor else guest.address,
        visitor=guest.visitor,
        edits=guest.edits,
        selected=list(guest.selected),
    )
