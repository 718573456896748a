"""Two people at one preset of a real engine: each sees the other, and hears of what the other saves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.signing.presets import sign_preset
from tests.core_engine.engine import ADMIN, OWNER, READER, admit, chain, engine, talker


def changed(frame: dict[str, Any]) -> bool:
    return bool(frame["type"] == "PRESET_CHANGED")


def company_of(count: int) -> Any:
    return lambda frame: frame["type"] == "PRESET_COMPANY" and len(frame["people"]) == count


async def test_who_has_a_preset_open_sees_the_others_and_what_they_save(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as owner:
        await admit(running)
        workflow = chain(1)
        signature = sign_preset(OWNER, workflow)
        await owner.ask("save_preset", name="Report", workflow_data=workflow, signature=signature)
        alone = await owner.ask("watch_preset", preset=" Report ")
        assert (alone["version"], alone["preset"], len(alone["people"])) == (1, "Report", 1)
        async with talker(running, READER) as reader, talker(running, ADMIN) as other:
            assert (await reader.ask("watch_preset", preset="Report"))["version"] == 1
            await other.ask("watch_preset", preset="Report", selected=["n0"])
            people = (await owner.until(company_of(3)))["people"]
            assert {item["address"]: (item["edits"], item["selected"]) for item in people} == {
                OWNER.address.lower(): (True, []),
                READER.address.lower(): (False, []),
                ADMIN.address.lower(): (True, ["n0"]),
            }
            second = chain(2)
            signature = sign_preset(ADMIN, second)
            await other.ask("save_preset", name="Report", workflow_data=second, signature=signature)
            told = await owner.until(changed)
            assert (told["version"], told["author_id"]) == (2, ADMIN.address.lower())
            assert (await other.ask("leave_preset", preset="Report"))["type"] == "preset_left"
        # the reader's connection has ended without a word
        assert (await owner.until(company_of(1)))["people"][0]["address"] == OWNER.address.lower()
        await owner.ask("delete_preset", name="Report")
        assert any(changed(frame) and frame["version"] is None for frame in owner.frames)


async def test_a_page_that_changes_its_connection_is_one_person(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as direct, talker(running) as relayed:
        workflow = chain(1)
        signature = sign_preset(OWNER, workflow)
        await direct.ask("save_preset", name="Report", workflow_data=workflow, signature=signature)
        await direct.ask("watch_preset", preset="Report", seat="s" * 16)
        moved = await relayed.ask("watch_preset", preset="Report", seat="s" * 16)
        assert [item["id"] for item in moved["people"]] == [moved["you"]]
        too_short = await relayed.ask("watch_preset", preset="Report", seat="s")
        assert too_short["code"] == "INVALID_REQUEST"
