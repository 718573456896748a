"""Who works on a saved workflow at the same time, and that somebody saved it meanwhile."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contract.base import Address, Audience, Command, Event, Outgoing, Role
from shared.contract.preset import PresetName

MOST_SELECTED = 50
ItemId = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Companion(Outgoing):
    """Somebody who has a preset open; ``id`` stands for the connection, so one person may be there twice.

    ``address`` is null for visitors of share links, and in what these are told. ``edits`` tells whether this one may
    save. ``selected`` are ids of nodes, connections and notes.
    """

    id: str
    address: Address | None
    visitor: bool
    edits: bool
    selected: list[str]


class PresetCompany(Event, name="PRESET_COMPANY", audience=Audience.PRESET):
    """Who has the preset open now; ``you`` is the id of the receiver, ``more`` how many people are not listed.

    ``version`` is the newest one, told in the answer to ``watch_preset`` only.
    """

    type: str = "PRESET_COMPANY"
    preset: str
    you: str
    people: list[Companion]
    more: int = 0
    version: int | None = None
    request_id: str | None = None


class PresetChanged(Event, name="PRESET_CHANGED", audience=Audience.PRESET):
    """A version was saved, or the preset was deleted: then ``version`` is null.

    ``author_id`` is null where it was deleted, and in what visitors of share links are told.
    """

    type: str = "PRESET_CHANGED"
    preset: str
    version: int | None
    author_id: str | None


class PresetLeft(Event, name="preset_left", audience=Audience.CALLER):
    """Nothing more is told about the preset."""

    type: str = "preset_left"
    preset: str
    request_id: str | None = None


class WatchPreset(Command, name="watch_preset", reply=PresetCompany, role=Role.READER):
    """Have a preset open: be seen by the others who have, and hear of them and of each version that is saved.

    Sent again, it changes what is ``selected``. ``seat`` is a random text of a page's own: sent on another connection
    it takes the place of the first one. It holds until ``leave_preset`` or the end of the connection; a page behind
    the gateway sends it again when it is connected again.
    """

    preset: PresetName
    selected: list[ItemId] = Field(default_factory=list, max_length=MOST_SELECTED)
    seat: str | None = Field(default=None, min_length=16, max_length=64)


class LeavePreset(Command, name="leave_preset", reply=PresetLeft, role=Role.READER):
    """Close a preset that was opened with ``watch_preset``."""

    preset: PresetName
