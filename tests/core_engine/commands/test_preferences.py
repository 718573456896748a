"""Preferences on a real engine: defaults, merging, types, bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core_engine.engine import READER, RUNNER, admit, engine, talker

DEFAULTS = {
    "active_template": "default",
    "language": "en",
    "ai_gpu_layers": -1,
    "ai_worker_timeout_seconds": 600,
    "webhook_enabled": True,
    "webhook_port": 8989,
    "global_error_handler_enabled": False,
    "global_error_workflow_preset": "",
    "last_run_time": None,
    "notifications_enabled": True,
    "notifications_duration_seconds": 5,
    "notifications_position": "bottom_right",
}


async def test_the_documented_defaults_and_merging_also_across_a_restart(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        assert (await client.ask("request_settings"))["settings"] == DEFAULTS
        await client.ask("save_settings", settings={"language": "id", "theme": {"dark": True}})
        saved = await client.ask("save_settings", settings={"webhook_enabled": False})
        expected = DEFAULTS | {"language": "id", "theme": {"dark": True}, "webhook_enabled": False}
        assert (saved["type"], saved["settings"]) == ("settings_response", expected)
        for key in (RUNNER, READER):
            assert (await client.ask("request_settings", key))["settings"] == expected
            assert (await client.ask("save_settings", key, settings={}))["code"] == "FORBIDDEN"
    async with engine(tmp_path) as running, talker(running) as client:
        assert (await client.ask("request_settings"))["settings"] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", 7),
        ("language", "../../etc"),
        ("webhook_enabled", "yes"),
        ("webhook_enabled", 1),
        ("webhook_port", 0),
        ("webhook_port", 70_000),
        ("webhook_port", "8989"),
        ("ai_gpu_layers", 1.5),
        ("notifications_duration_seconds", -1),
        ("last_run_time", []),
        ("global_error_workflow_preset", None),
    ],
)
async def test_a_known_preference_of_a_wrong_type_is_named_and_nothing_is_saved(
    tmp_path: Path, name: str, value: Any
) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        refused = await client.ask("save_settings", settings={name: value, "theme": "dark"})
        assert refused["code"] == "INVALID_REQUEST"
        assert [detail["field"] for detail in refused["details"]] == [f"settings.{name}"]
        assert (await client.ask("request_settings"))["settings"] == DEFAULTS


async def test_every_wrong_field_is_named(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        refused = await client.ask("save_settings", settings={"language": 1, "webhook_port": -1})
        assert {item["field"] for item in refused["details"]} == {
            "settings.language",
            "settings.webhook_port",
        }
        assert (await client.ask("save_settings", settings=[]))["details"][0]["field"] == "settings"


async def test_preferences_are_bounded(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("save_settings", settings={"a": "x" * 200_000})
        assert (await client.ask("save_settings", settings={"b": "x" * 100_000}))["code"] == "TOO_LARGE"
        assert "b" not in (await client.ask("request_settings"))["settings"]
        assert (await client.ask("save_settings", settings={"a": ""}))["settings"]["a"] == ""


async def test_saves_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for number in range(20):
            await client.send("save_settings", settings={f"key{number}": number})
        for _ in range(20):
            await client.next()
        kept = (await client.ask("request_settings"))["settings"]
        assert all(kept[f"key{number}"] == number for number in range(20))
