"""The component that makes things up."""

from __future__ import annotations

import uuid

import pytest
from pydantic import ValidationError

from shared.errors import FloworkError


async def draw(run, data=None, **config):
    return (await run("random", config, data)).outputs["success"].data["random"]


async def test_numbers_stay_in_their_range(run) -> None:
    numbers = {await draw(run, lowest=-1, highest=1) for _ in range(200)}
    assert numbers == {-1, 0, 1}
    assert all([2 <= await draw(run, kind="decimal", lowest=2, highest=3) < 3 for _ in range(50)])
    assert await draw(run, lowest=7, highest=7) == 7


async def test_texts_and_uuids_differ(run) -> None:
    texts = [await draw(run, kind="text", length=20) for _ in range(20)]
    assert len(set(texts)) == 20
    assert all(len(text) == 20 and text.isalnum() for text in texts)
    assert uuid.UUID(await draw(run, kind="uuid")).version == 4


async def test_lists_are_picked_from(run) -> None:
    items = list(range(30))
    assert await draw(run, items, kind="choice") in items
    shuffled = await draw(run, {"records": items}, kind="shuffle")
    assert sorted(shuffled) == items
    assert len(set(await draw(run, items, kind="sample", length=5))) == 5
    assert sorted(await draw(run, items[:3], kind="sample", length=5)) == items[:3]
    assert await draw(run, [], kind="shuffle") == []
    with pytest.raises(FloworkError, match="nothing to choose"):
        await draw(run, [], kind="choice")


@pytest.mark.parametrize("wrong", [{"lowest": 2, "highest": 1}, {"kind": "luck"}, {"length": 0}])
def test_what_makes_no_sense_is_refused(registry, wrong) -> None:
    with pytest.raises(ValidationError):
        registry.find("random").parse_config(wrong)
