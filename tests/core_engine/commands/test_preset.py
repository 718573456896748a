"""Presets on a real engine: signed versions, their chain, conflicts, tampering, and runs from them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from shared.signing.presets import sign_preset
from tests.core_engine.engine import (
    ADMIN,
    OTHER,
    OWNER,
    READER,
    RUNNER,
    Talker,
    admit,
    chain,
    engine,
    talker,
    waiting,
)

DRAFT = {"nodes": [{"id": "ä1", "name": "Größe", "module_id": "?", "x": 1e-7}], "connections": []}


async def save(client: Talker, name: str, workflow: dict[str, Any], **fields: Any) -> dict[str, Any]:
    key = fields.pop("key", client.key)
    signature = fields.pop("signature", None) or sign_preset(key, workflow)
    return await client.ask(
        "save_preset", key, name=name, workflow_data=workflow, signature=signature, **fields
    )


def tamper(folder: Path, sql: str, *parameters: Any) -> None:
    link = sqlite3.connect(folder / "engine" / "engine.db", timeout=10)
    with link:
        assert link.execute(sql, parameters).rowcount > 0
    link.close()


async def test_saving_makes_a_chain_that_can_be_read_back_also_after_a_restart(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        first = await save(client, "Daily", chain(1))
        assert first["type"] == "presets_list_response"
        (item,) = first["presets"]
        assert (item["name"], item["version"], item["intact"]) == ("Daily", 1, True)
        assert item["author_id"] == OWNER.address.lower()
        second = await save(client, "Daily", DRAFT, based_on=1)
        assert [(it["id"], it["version"]) for it in second["presets"]] == [(item["id"], 2)], (
            "the id is stable"
        )
    async with engine(tmp_path) as running, talker(running) as client:
        loaded = await client.ask("load_preset", name="Daily")
        assert (loaded["version"], loaded["workflow_data"]) == (2, DRAFT)
        assert loaded["signature"] == sign_preset(OWNER, DRAFT)
        old = await client.ask("load_preset", name="Daily", version=1)
        assert old["workflow_data"] == chain(1)
        versions = await client.ask("list_preset_versions", name="Daily")
        newest, oldest = versions["versions"]
        assert versions["intact"]
        assert newest["signed"]
        assert oldest["signed"]
        assert (oldest["previous_hash"], newest["previous_hash"]) == (None, oldest["version_hash"])
        assert (await client.ask("request_presets_list"))["presets"][0]["id"] == item["id"]


async def test_the_stored_bytes_are_the_documented_object_in_canonical_form(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Daily", DRAFT)
    link = sqlite3.connect(tmp_path / "engine" / "engine.db")
    body, attestation = link.execute("SELECT body, attestation FROM preset_version").fetchone()
    link.close()
    document = json.loads(body)
    assert list(document) == sorted(document)
    assert set(document) == {
        "version", "author_id", "timestamp", "previous_hash", "workflow_data", "signature",
    }  # fmt: skip
    assert "Größe" in body.decode()
    assert b"1e-7" in body
    stated = json.loads(attestation)["statement"]
    assert (stated["name"], stated["version"], stated["previous_hash"]) == ("Daily", 1, None)
    assert (tmp_path / "engine" / "engine.key").stat().st_mode & 0o777 == 0o600


async def test_only_the_callers_own_signature_over_this_workflow_is_taken(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        bad = [
            sign_preset(OTHER, chain(1)),
            sign_preset(ADMIN, chain(1)),
            sign_preset(OWNER, chain(2)),
            OWNER.sign_text(json.dumps(chain(1))),
            "0x00",
            sign_preset(OWNER, chain(1)).upper(),
        ]
        for signature in bad:
            assert (await save(client, "Daily", chain(1), signature=signature))["code"] == "BAD_SIGNATURE"
        assert (await client.ask("request_presets_list"))["presets"] == []
        for key in (RUNNER, READER):
            assert (await save(client, "Daily", chain(1), key=key))["code"] == "FORBIDDEN"
        saved = await save(client, "Daily", chain(1), key=ADMIN)
        assert saved["presets"][0]["author_id"] == ADMIN.address.lower()


async def test_an_edit_of_an_older_version_is_a_conflict(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        assert (await save(client, "Daily", chain(1), based_on=3))["code"] == "CONFLICT"
        await save(client, "Daily", chain(1), based_on=0)
        await save(client, "Daily", chain(2), based_on=1)
        refused = await save(client, "Daily", chain(3), based_on=1)
        assert refused["code"] == "CONFLICT"
        details = refused["details"]
        assert (details["based_on"], details["version"]) == (1, 2)
        assert details["author_id"] == OWNER.address.lower()
        assert (await client.ask("load_preset", name="Daily"))["version"] == 2
        assert (await save(client, "Daily", chain(3)))["presets"][0]["version"] == 3, "who does not ask"


async def test_versions_saved_at_the_same_time_do_not_get_lost(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        workflow, signature = chain(1), sign_preset(OWNER, chain(1))
        for number in range(10):
            await client.send(
                "save_preset",
                name="Busy",
                workflow_data=workflow,
                signature=signature,
                request_id=str(number),
            )
        answers = [await client.next() for _ in range(10)]
        assert {frame["type"] for frame in answers} == {"presets_list_response"}
        versions = await client.ask("list_preset_versions", name="Busy")
        assert [item["version"] for item in versions["versions"]] == list(range(10, 0, -1))
        assert versions["intact"]


TAMPERING = {
    "workflow": ("UPDATE preset_version SET body = replace(body, 'Step 0', 'Step X') WHERE version = 1", "1"),
    "not JSON": ("UPDATE preset_version SET body = x'00ff' WHERE version = 2", "2"),
    "left out": ("DELETE FROM preset_version WHERE version = 1", "1"),
    "number": ("UPDATE preset_version SET version = 3 WHERE version = 2", "2"),
    "attestation": ("UPDATE preset_version SET attestation = x'7b7d' WHERE version = 2", "2"),
    "name": ("UPDATE preset SET name = 'Other' WHERE name = 'Daily'", "1"),
    "nothing left": ("DELETE FROM preset_version", "no version"),
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_tampering_is_told_and_what_was_changed_is_not_used(tmp_path: Path, what: str) -> None:
    sql, place = TAMPERING[what]
    async with engine(tmp_path) as running, talker(running) as client:
        for length in (1, 2):
            await save(client, "Daily", chain(length))
    tamper(tmp_path, sql)
    name = "Other" if what == "name" else "Daily"
    async with engine(tmp_path) as running, talker(running) as client:
        (item,) = (await client.ask("request_presets_list"))["presets"]
        assert (item["name"], item["intact"]) == (name, False)
        versions = await client.ask("list_preset_versions", name=name)
        assert not versions["intact"]
        assert place in versions["problem"]
        for command, fields in (
            ("load_preset", {"name": name}),
            ("execute_workflow", {"preset_name": name, "job_id": "r1"}),
            ("diff_preset_versions", {"name": name, "from_version": 1, "to_version": 2}),
            ("restore_preset_version", {"name": name, "version": 1}),
        ):
            assert (await client.ask(command, **fields))["code"] == "JOURNAL_CORRUPT", command
        assert (await save(client, name, chain(1)))["code"] == "JOURNAL_CORRUPT", "it is not continued"
        assert (await client.ask("list_runs"))["runs"] == []
        assert (await client.ask("delete_preset", name=name))["presets"] == []
        assert (await save(client, name, chain(1)))["presets"][0]["intact"], "a fresh one begins"


async def test_a_chain_of_somebody_else_lacks_the_engines_word(tmp_path: Path) -> None:
    async with engine(tmp_path / "mine") as running, talker(running) as client:
        await save(client, "Daily", chain(1))
    theirs = {"FLOWORK_OWNER_ADDRESS": OTHER.address}
    async with engine(tmp_path / "theirs", **theirs) as running, talker(running, OTHER) as client:
        await save(client, "Daily", chain(2))
    link = sqlite3.connect(tmp_path / "theirs" / "engine" / "engine.db")
    body, attestation = link.execute("SELECT body, attestation FROM preset_version").fetchone()
    link.close()
    tamper(tmp_path / "mine", "UPDATE preset_version SET body = ?, attestation = ?", body, attestation)
    async with engine(tmp_path / "mine") as running, talker(running) as client:
        refused = await client.ask("load_preset", name="Daily")
        assert refused["code"] == "JOURNAL_CORRUPT"
        assert "attestation" in refused["message"]


async def test_tampering_while_the_engine_runs_is_noticed_at_the_next_use(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Daily", chain(1))
        await client.ask("execute_workflow", job_id="before", preset_name="Daily")
        await client.finish("before")
        tamper(tmp_path, "UPDATE preset_version SET body = replace(body, 'Step 0', 'Step X')")
        for command in ("load_preset", "execute_workflow"):
            refused = await client.ask(command, name="Daily", preset_name="Daily")
            assert refused["code"] == "JOURNAL_CORRUPT"


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "a\x00b", "\u202eevil", "x" * 121, 7, None])
async def test_names_that_are_no_names_are_refused(tmp_path: Path, name: Any) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        refused = await save(client, name, chain(1))
        assert refused["code"] == "INVALID_REQUEST"
        assert refused["details"][0]["field"] == "name"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/abs", "a'; DROP TABLE preset;--", "C:\\x", "%", "日本 🚀"]
)
async def test_a_name_is_only_ever_a_name(tmp_path: Path, name: str) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        before = sorted(path.name for path in (tmp_path / "engine").iterdir())
        await save(client, "Other", chain(2))
        assert [item["name"] for item in (await save(client, name, chain(1)))["presets"]] == sorted(
            ["Other", name]
        )
        assert (await client.ask("load_preset", name=name))["name"] == name
        assert sorted(path.name for path in (tmp_path / "engine").iterdir()) == before
        assert [item["name"] for item in (await client.ask("delete_preset", name=name))["presets"]] == [
            "Other"
        ]


async def test_two_spellings_of_one_name_are_one_preset(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Caf\u00e9", chain(1))
        (item,) = (await save(client, " Cafe\u0301 ", chain(2)))["presets"]
        assert (item["name"], item["version"]) == ("Caf\u00e9", 2)


async def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Daily", chain(1))
        for command, fields in (
            ("load_preset", {"name": "No"}),
            ("load_preset", {"name": "Daily", "version": 2}),
            ("load_preset", {"name": "Daily", "owner_id": OTHER.address}),
            ("delete_preset", {"name": "No"}),
            ("list_preset_versions", {"name": "No"}),
            ("diff_preset_versions", {"name": "Daily", "from_version": 1, "to_version": 2}),
            ("restore_preset_version", {"name": "Daily", "version": 2}),
            ("execute_workflow", {"preset_name": "No"}),
        ):
            assert (await client.ask(command, **fields))["code"] == "NOT_FOUND", (command, fields)
        owned = await client.ask("load_preset", name="Daily", owner_id=OWNER.address.lower())
        assert owned["version"] == 1


async def test_two_versions_are_compared_field_by_field(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        old, new = chain(2), chain(3)
        new["nodes"][0]["config_values"] = {"a/b": [1, 2]}
        await save(client, "Daily", old)
        await save(client, "Daily", new)
        answer = await client.ask("diff_preset_versions", name="Daily", from_version=1, to_version=2)
        found = [(it["kind"], it["subject"], it["id"], it["path"]) for it in answer["changes"]]
        assert found == [
            ("added", "node", "n0", "/config_values/a~1b"),
            ("added", "node", "n2", ""),
            ("added", "connection", "e1", ""),
        ]
        assert answer["changes"][0]["after"] == [1, 2]
        back = await client.ask("diff_preset_versions", name="Daily", from_version=2, to_version=1)
        assert [change["kind"] for change in back["changes"]] == ["removed"] * 3
        same = await client.ask("diff_preset_versions", name="Daily", from_version=2, to_version=2)
        assert same["changes"] == []


async def test_an_old_version_is_restored_as_the_newest_with_its_authors_signature(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        await save(client, "Daily", chain(1), key=ADMIN)
        await save(client, "Daily", chain(2))
        restored = await client.ask("restore_preset_version", name="Daily", version=1)
        assert (restored["version"], restored["workflow_data"]) == (3, chain(1))
        assert restored["author_id"] == ADMIN.address.lower()
        assert restored["signature"] == sign_preset(ADMIN, chain(1))
        versions = await client.ask("list_preset_versions", name="Daily")
        assert versions["intact"]
        assert [item["restored_from"] for item in versions["versions"]] == [1, None, None]
        assert (await client.ask("restore_preset_version", RUNNER, name="Daily", version=1))[
            "code"
        ] == "FORBIDDEN"


async def test_a_preset_is_not_deleted_under_an_unfinished_run(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Slow", waiting())
        await client.ask("execute_workflow", job_id="r1", preset_name="Slow")
        refused = await client.ask("delete_preset", name="Slow")
        assert (refused["code"], refused["details"]) == ("CONFLICT", {"job_id": "r1"})
        await client.ask("stop_workflow", job_id="r1")
        assert (await client.ask("delete_preset", name="Slow"))["presets"] == []
        assert (await client.ask("get_run", job_id="r1"))["run"]["preset_name"] == "Slow", "its history stays"


async def test_a_runner_runs_what_was_saved_and_nothing_else(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running, RUNNER) as runner:
        await admit(running)
        await save(client, "Daily", chain(2))
        started = await runner.ask(
            "execute_workflow", job_id="r1", preset_name="Daily", initial_payload={"data": {"x": 1}}
        )
        assert started["status_data"]["status"] == "RUNNING"
        await runner.finish("r1")
        run = (await runner.ask("get_run", job_id="r1"))["run"]
        assert (run["preset_name"], run["started_by"]) == ("Daily", RUNNER.address.lower())
        own = await runner.ask("execute_workflow", preset_name="Daily", workflow_data=chain(1))
        assert own["code"] == "FORBIDDEN"
        reader = await runner.ask("execute_workflow", READER, preset_name="Daily")
        assert reader["code"] == "FORBIDDEN"
        nothing = await runner.ask("execute_workflow")
        assert nothing["code"] == "INVALID_REQUEST"
        assert nothing["details"][0]["field"] == "workflow_data"


async def test_the_same_start_sent_again_means_the_version_it_started_with(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Daily", chain(1))
        await client.ask("execute_workflow", job_id="r1", preset_name="Daily")
        await client.finish("r1")
        await save(client, "Daily", chain(3))
        again = await client.ask("execute_workflow", job_id="r1", preset_name="Daily")
        assert again["status_data"]["status"] == "SUCCEEDED"
        await client.ask("execute_workflow", job_id="r2", preset_name="Daily")
        await client.finish("r2")
        assert len((await client.ask("get_run", job_id="r2"))["nodes"]) == 3
        await save(client, "Daily", DRAFT)
        again = await client.ask("execute_workflow", job_id="r2", preset_name="Daily")
        assert again["status_data"]["status"] == "SUCCEEDED", "also where the newest one cannot run"
        assert (await client.ask("execute_workflow", job_id="r3", preset_name="Daily"))[
            "code"
        ] == "INVALID_WORKFLOW"
        await save(client, "Weekly", chain(3))
        assert (await client.ask("execute_workflow", job_id="r2", preset_name="Weekly"))["status_data"]
        await save(client, "Weekly", chain(2))
        assert (await client.ask("execute_workflow", job_id="r2", preset_name="Weekly"))["code"] == "CONFLICT"
