"""Who is at a preset: told to all of them, within bounds, and gone with the connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from core_engine.company import Company, Guest
from core_engine.company.desk import MAX_OPEN, MAX_SHOWN
from shared.errors import ErrorCode, FloworkError


@dataclass(eq=False)
class Line:
    """A connection: it keeps what it is sent."""

    address: str
    visitor: bool = False
    there: bool = True
    seat: str | None = None
    frames: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def deliver(self, frames: Sequence[dict[str, Any]]) -> None:
        self.frames += frames
        self.news.set()

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            while not self.frames:
                self.news.clear()
                await self.news.wait()
        return self.frames.pop(0)

    async def watch(self, company: Company, preset: str = "Report", *selected: str) -> Any:
        guest = Guest(
            self, self.deliver, self.address, self.visitor, True, selected=tuple(selected), seat=self.seat
        )
        return await company.watch(preset, guest, lambda: self.there)


VERSIONS = {"Report": 3, "Other": 1} | {f"p{i}": 1 for i in range(20)}


async def newest(preset: str) -> int:
    return VERSIONS.get(preset, 0)


@pytest.fixture
def company() -> Company:
    return Company(newest)


ANA, BEN = "0x" + "a" * 40, "0x" + "b" * 40


async def test_two_people_hear_of_each_other_and_of_what_they_select(company: Company) -> None:
    ana, ben = Line(ANA), Line(BEN)
    answer = await ana.watch(company)
    assert (answer.version, [item.address for item in answer.people]) == (3, [ANA])
    assert answer.people[0].id == answer.you
    await ben.watch(company, "Report", "n1")
    frame = await ana.next()
    assert frame["type"] == "PRESET_COMPANY"
    assert [(item["address"], item["selected"]) for item in frame["people"]] == [(ANA, []), (BEN, ["n1"])]
    assert frame["you"] == answer.you


async def test_changes_in_quick_succession_are_told_once(company: Company) -> None:
    ana, ben = Line(ANA), Line(BEN)
    await ana.watch(company)
    ids = {(await ben.watch(company, "Report", f"n{turn}")).you for turn in range(50)}
    assert len(ids) == 1, "an entry stays the same while its connection does"
    frame = await ana.next()
    assert frame["people"][1]["selected"] == ["n49"]
    company.close()
    assert ana.frames == []


async def test_who_is_gone_is_gone_from_every_list(company: Company) -> None:
    ana, ben, lost = Line(ANA), Line(BEN), Line(BEN, there=False)
    await ana.watch(company)
    await ben.watch(company)
    await ana.next()
    company.leave_all(ben)
    assert [item["address"] for item in (await ana.next())["people"]] == [ANA]
    assert [item.address for item in (await lost.watch(company)).people] == [ANA]
    company.leave("Report", ana)
    await company.preset_changed("Report", {}, BEN)
    assert ana.frames == []


async def test_a_page_that_comes_by_another_way_is_there_once(company: Company) -> None:
    relay, direct, other = Line(ANA, seat="s" * 16), Line(ANA, seat="s" * 16), Line(BEN, seat="s" * 16)
    await relay.watch(company)
    assert len((await direct.watch(company)).people) == 1
    assert len((await other.watch(company)).people) == 2, "a seat is taken from nobody else"
    company.close()


async def test_a_save_and_a_deletion_are_told_to_those_at_the_preset(company: Company) -> None:
    ana, ben = Line(ANA), Line(BEN)
    await ana.watch(company)
    await ben.watch(company, "Other")
    await company.preset_changed("Report", {"nodes": []}, BEN)
    await company.preset_changed("Report", None, "")
    told = [frame for frame in ana.frames if frame["type"] == "PRESET_CHANGED"]
    assert [(item["version"], item["author_id"]) for item in told] == [(3, BEN), (None, None)]
    assert not [frame for frame in ben.frames if frame["type"] == "PRESET_CHANGED"]
    company.close()


async def test_a_visitor_learns_of_no_address_and_shows_none(company: Company) -> None:
    ana, visitor = Line(ANA), Line(BEN, visitor=True)
    await ana.watch(company)
    told = await visitor.watch(company)
    assert [(item.address, item.visitor) for item in told.people] == [(None, False), (None, True)]
    frame = await ana.next()
    assert [(item["address"], item["visitor"]) for item in frame["people"]] == [(ANA, False), (None, True)]
    company.close()
    await ana.watch(company)
    await visitor.watch(company)
    ana.frames, visitor.frames = [], []
    await company.preset_changed("Report", {"nodes": []}, ANA)
    assert [(item["version"], item["author_id"]) for item in ana.frames] == [(3, ANA)]
    assert [(item["version"], item["author_id"]) for item in visitor.frames] == [(3, None)]
    company.close()


async def test_the_room_is_bounded(company: Company) -> None:
    ana = Line(ANA)
    for turn in range(MAX_OPEN):
        await ana.watch(company, f"p{turn}")
    await ana.watch(company, "p0", "again")
    with pytest.raises(FloworkError) as refused:
        await ana.watch(company)
    assert refused.value.code is ErrorCode.RATE_LIMITED
    with pytest.raises(FloworkError) as unknown:
        await Line(BEN).watch(company, "Nowhere")
    assert unknown.value.code is ErrorCode.NOT_FOUND
    crowd = [Line(BEN) for _ in range(MAX_SHOWN + 5)]
    for one in crowd:
        last = await one.watch(company)
    assert (len(last.people), last.more) == (MAX_SHOWN, 5)
    company.close()
