"""Rules: made by commands and by trigger nodes, kept, shown, and only for those who may."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.contract.run import NodeStatus
from shared.signing.presets import sign_preset
from tests.core_engine.engine import ADMIN, OWNER, READER, RUNNER, admit, talker
from tests.core_engine.triggers.desk import ended, engine, flow, node, quick, runs, save


def two_triggers(**config: Any) -> dict[str, Any]:
    nodes = [
        node("daily", "cron_trigger", **({"cron_string": "0 9 * * *"} | config)),
        node("hand", "manual_trigger"),
        node("a", "static_data_provider_module"),
        node("b", "static_data_provider_module"),
    ]
    return flow(*nodes, links=(("daily", "a"), ("hand", "b")))


async def test_saving_a_preset_makes_updates_and_removes_its_rules(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        workflow = two_triggers()
        for version in (workflow, two_triggers(cron_string="0 10 * * *", policy={"kind": "single"})):
            told = await client.ask(
                "save_preset", name="flow", workflow_data=version, signature=sign_preset(OWNER, version)
            )
            assert told["type"] == "presets_list_response"
        daily, hand = (await client.ask("list_triggers", preset_name="flow"))["rules"]
        assert (daily["node_id"], daily["kind"], daily["config"]["cron_string"]) == (
            "daily",
            "cron",
            "0 10 * * *",
        )
        assert daily["policy"]["kind"] == "single"
        assert daily["owner"] == OWNER.address.lower()
        assert hand["name"] == "hand"
        off = await client.ask("disable_trigger", rule_id=daily["id"])
        assert (off["rule"]["enabled"], off["rule"]["next_run_time"]) == (False, None)
        refused = await client.ask("delete_trigger", rule_id=daily["id"])
        assert refused["code"] == "CONFLICT"
        await save(of, "flow", two_triggers(cron_string="0 11 * * *"))
        assert not of.triggers.rules.get(daily["id"]).enabled  # what people switched off stays off
        await save(of, "flow", flow(node("hand", "manual_trigger")))
        assert [rule.node for rule in of.triggers.rules.all()] == ["hand"]
        await client.ask("delete_preset", name="flow")
        assert of.triggers.rules.all() == []


async def test_a_run_starts_at_its_trigger_node_alone(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        await save(of, "flow", two_triggers())
        rules = {rule.node: rule for rule in of.triggers.rules.all()}
        fired = await client.ask("fire_trigger", rule_id=rules["hand"].id, event={"x": 1})
        assert fired["outcome"] == "started"
        await ended(of, fired["run_id"])
        details = await of.runs.details(fired["run_id"])
        done = {item.node_id for item in details.nodes if item.status is NodeStatus.SUCCESS}
        assert done == {"hand", "b"}
        (payload,) = await of.runs.connection_history(fired["run_id"], "hand-b")
        assert payload["data"]["x"] == 1
        assert payload["data"]["trigger_info"]["type"] == "manual"


async def test_only_admins_change_rules(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await admit(of)
        await save(of, "flow", quick())
        fields = {"preset_name": "flow", "kind": "cron", "config": {"cron_string": "@daily"}}
        async with talker(of, ADMIN) as admin, talker(of, RUNNER) as runner, talker(of, READER) as reader:
            made = (await admin.ask("save_trigger", **fields))["rule"]
            assert made["owner"] == ADMIN.address.lower()
            for command in ("delete_trigger", "enable_trigger", "disable_trigger"):
                assert (await runner.ask(command, rule_id=made["id"]))["code"] == "FORBIDDEN"
            assert (await runner.ask("save_trigger", **fields))["code"] == "FORBIDDEN"
            assert (await reader.ask("fire_trigger", rule_id=made["id"]))["code"] == "FORBIDDEN"
            assert len((await reader.ask("list_triggers"))["rules"]) == 1
            preview = await reader.ask("schedule_preview", limit=3)
            assert [start["rule_id"] for start in preview["starts"]] == [made["id"]] * 3
            fired = await runner.ask("fire_trigger", rule_id=made["id"])
            assert of.runs.summary(fired["run_id"]).started_by == ADMIN.address.lower()
            await of.access.replace_guests({"addresses": [], "grants": []})
            item = of.triggers.listing()[0]
            assert "no role" in (item.blocked or "")
        async with talker(of, OWNER) as owner:
            refused = await owner.ask("fire_trigger", rule_id=made["id"])
            assert refused["code"] == "FORBIDDEN"
            assert (await owner.ask("delete_trigger", rule_id=made["id"]))["rules"] == []


WRONG = [
    ({"kind": "cron", "config": {}}, "config"),
    ({"kind": "cron", "config": {"cron_string": "x"}}, "config.cron_string"),
    ({"kind": "cron", "config": {"cron_string": "@daily", "timezone": "Mars"}}, "config.timezone"),
    ({"kind": "webhook", "config": {}}, "config.secret"),
    ({"kind": "manual", "policy": {"key": "a ||"}}, "policy.key"),
    ({"kind": "manual", "policy": {"kind": "debounce"}}, "policy"),
    ({"kind": "file_system", "config": {"path_to_watch": "a", "events": "x"}}, "config.events"),
    ({"kind": "run_finished", "config": {"status_filter": "RUNNING"}}, "config.status_filter"),
]


async def test_wrong_rules_are_refused_with_the_field(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        await save(of, "flow", quick())
        for fields, field in WRONG:
            refused = await client.ask("save_trigger", preset_name="flow", **fields)
            assert (refused["code"], refused["details"][0]["field"]) == ("INVALID_REQUEST", field)
        missing = await client.ask("save_trigger", preset_name="nowhere", kind="manual")
        assert missing["code"] == "NOT_FOUND"
        assert of.triggers.rules.all() == []


async def test_rules_survive_and_catch_up_with_their_presets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        await save(of, "other", quick())
        fields = {"preset_name": "other", "kind": "webhook", "name": "hook", "config": {"secret": "s3cret"}}
        made = (await client.ask("save_trigger", **fields))["rule"]
        assert made["secret_set"]
        assert "secret" not in made["config"]
        renamed = await client.ask(
            "save_trigger", **fields | {"rule_id": made["id"], "config": {}, "name": "new"}
        )
        assert renamed["rule"]["secret_set"]
        monkeypatch.setattr(of.rooms.presets, "_listeners", [])  # the engine dies before the rules are made
        await save(of, "flow", two_triggers())
        await save(of, "odd", {"nodes": 5, "settings": [1]})
        assert len(of.triggers.rules.all()) == 1
    async with engine(tmp_path) as of:
        rules = of.triggers.rules.all()
        assert [rule.name for rule in rules] == ["daily", "hand", "new"]
        assert of.triggers.rules.secrets.reveal(rules[2]) == b"s3cret"
        assert await runs(of) == []
        before = of.triggers.table.rules()
    async with engine(tmp_path) as of:
        assert of.triggers.table.rules() == before


async def test_wrong_settings_of_a_workflow_are_problems(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        for policy, field in (
            ({"kind": "x"}, "settings.trigger.policy.kind"),
            ({"key": "("}, "settings.trigger.policy.key"),
        ):
            problems = of.runs.validate(quick() | {"settings": {"trigger": {"policy": policy}}})
            assert [problem.field for problem in problems] == [field]
