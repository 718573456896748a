"""Several workers on several queues: each step where it belongs, and runs that do not notice how many there are."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
import redis as redis_client

from core_engine.app import Engine
from core_engine.components.isolation import rungs
from core_engine.components.isolation.rungs import Rung
from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import Answer, Ending, SignedAnswer
from core_engine.workers import executor
from shared.ids import new_id
from shared.signing.presets import sign_preset
from tests.core_engine.engine import OWNER, talker
from tests.core_engine.workers.conftest import Plant
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.workers import Doors, Worker, chain, step, until, worker

ID = f"engine-{new_id()[:8]}"
BOB = "0x" + "b" * 40
SECRET = "a-word-nobody-may-see"


class Fleet(NamedTuple):
    """Two workers: both serve the queue ``default``, the second one ``heavy`` and ``docker`` too, and it has a GPU."""

    plain: Worker
    special: Worker
    files: Path


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, redis: RedisServer
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    environment = Plant.of(folder, postgres, redis).environment | {
        "FLOWORK_ENGINE_ID": ID,
        "ENGINE_SHELL_COMMANDS": "true",
        "ENGINE_WORKER_LEASE_SECONDS": "10",
    }
    special = {"ENGINE_WORKER_QUEUES": "default,heavy,docker", "ENGINE_WORKER_LABELS": "gpu"}
    with (
        worker(folder, environment, ENGINE_WORKER_QUEUES="default") as one,
        worker(folder, environment, **special) as two,
    ):
        one.wait_until_ready()
        two.wait_until_ready()
        yield Fleet(one, two, folder / "files")


@pytest.fixture
def mill(tmp_path: Path, postgres: PostgresServer, redis: RedisServer, fleet: Fleet) -> Plant:
    made = Plant.of(tmp_path, postgres, redis)
    more = {"FLOWORK_ENGINE_ID": ID, "ENGINE_SHELL_COMMANDS": "true", "ENGINE_WORKER_LEASE_SECONDS": "10"}
    made.environment |= more
    return made


def who_had(postgres: PostgresServer, node: str) -> list[str]:
    """Return the workers that have carried out the steps of a node, each as often as it did."""
    with contextlib.closing(postgres.connect()) as database:
        query = "SELECT worker FROM step_claim WHERE engine = %s AND node = %s AND state = 'DONE'"
        return [row[0] for row in database.execute(query, (ID, node)).fetchall()]


async def test_a_nodes_queue_and_label_and_its_presets_choose_the_worker(
    mill: Plant, web: Doors, fleet: Fleet, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "_UNCLAIMED_WARNING", 0.0)
    nodes = [
        step(web, "at-heavy", queue="heavy"),
        step(web, "at-docker", queue="docker"),
        step(web, "at-gpu", worker="gpu"),
        step(web, "at-both", queue="heavy", worker="gpu"),
    ]
    async with mill.engine() as engine:
        own = await mill.start(engine, chain(*nodes))
        flow = await mill.start(engine, chain(step(web, "by-flow"), queue="heavy", worker="gpu"))
        for run in (own, flow):
            assert (await mill.end(engine, run)).run.status == "SUCCEEDED", fleet.special.text()
        for name in ("at-heavy", "at-docker", "at-gpu", "at-both", "by-flow"):
            assert who_had(postgres, name) == [fleet.special.name], name
        lost = await mill.start(engine, chain(step(web, "at-tape", worker="tape")))
        after = await mill.start(engine, chain(step(web, "at-default")))
        assert (await mill.end(engine, after)).run.status == "SUCCEEDED"
        said = "a worker of the queue default with the label tape; none has taken it yet"
        await until(lambda: said in str(mill.frames[lost]), "the line in the run's log")
        assert "at-tape" not in web.came
        await engine.runs.stop(lost, "0x0")


def fan_out(count: int, node: dict[str, Any], parallel: int) -> dict[str, Any]:
    """A loop over numbers whose body is one node."""
    loop = {
        "id": "loop", "name": "loop", "module_id": "for_each",
        "config_values": {"items": list(range(count)), "parallel": parallel},
    }  # fmt: skip
    after = {"id": "after", "name": "after", "module_id": "static_data_provider_module", "config_values": {}}
    made = chain(loop, after)
    made["nodes"].append({**node, "parent_id": "loop"})
    return made


FAN_OUT = 500 if os.environ.get("FLOWORK_SUITE") in {"workers", "all"} else 40
"""500 take about half a minute of a processor: `FLOWORK_SUITE=workers pytest tests/core_engine/workers`."""


async def test_a_fan_out_over_two_workers_comes_back_in_order(
    mill: Plant, fleet: Fleet, postgres: PostgresServer
) -> None:
    each = {"id": "each", "name": "each", "module_id": "delay", "config_values": {"seconds": 0.01}}
    async with mill.engine(ENGINE_MAX_PARALLEL_STEPS="8", ENGINE_MAX_PARALLEL_STEPS_PER_RUN="8") as engine:
        run = await mill.start(engine, fan_out(FAN_OUT, each, 8))
        details = await mill.end(engine, run, 280)
        assert details.run.status == "SUCCEEDED", details
        (came,) = await engine.runs.connection_history(run, "e0")
    assert [one["item"] for one in came["data"]["results"]] == list(range(FAN_OUT))
    had = who_had(postgres, "each")
    assert len(had) == FAN_OUT, "each item once"
    assert set(had) == {fleet.plain.name, fleet.special.name}


async def test_a_pause_in_the_middle_of_a_fan_out_starts_nothing_and_loses_nothing(
    mill: Plant, web: Doors
) -> None:
    body = step(web, "item-{{ data.item }}")
    names = [f"item-{number}" for number in range(6)]
    for name in names:
        web.close(name)
    async with mill.engine() as engine:
        run = await mill.start(engine, fan_out(6, body, 2))
        for name in names[:2]:
            await web.until(name)
        await engine.runs.pause(run, "0x0")
        for name in names:
            await web.open(name)
        await until(lambda: not engine.runs.busy, "the end of what ran")
        assert sorted(web.came) == names[:2]
        await engine.runs.resume(run, "0x0")
        assert (await mill.end(engine, run)).run.status == "SUCCEEDED"
        (came,) = await engine.runs.connection_history(run, "e0")
    assert web.came == dict.fromkeys(names, 1)
    doors = [one["body"]["door"] for one in came["data"]["results"]]
    assert doors == names


async def test_the_steps_of_a_sub_workflow_may_be_at_another_worker(
    mill: Plant, web: Doors, fleet: Fleet, postgres: PostgresServer
) -> None:
    below = chain(step(web, "below", queue="heavy"))
    call = {
        "id": "call",
        "name": "call",
        "module_id": "sub_workflow",
        "config_values": {"preset_name": "sub"},
    }
    async with mill.engine() as engine:
        async with talker(engine, query=f"?engineId={ID}") as client:
            client.engine_id = ID
            signature = sign_preset(OWNER, below)
            saved = await client.ask("save_preset", name="sub", workflow_data=below, signature=signature)
            assert saved["type"] == "presets_list_response", saved
        run = await mill.start(engine, chain(step(web, "above"), call, step(web, "behind")))
        details = await mill.end(engine, run)
    assert details.run.status == "SUCCEEDED", details
    assert web.came == {"above": 1, "below": 1, "behind": 1}
    assert who_had(postgres, "below") == [fleet.special.name]


def marked(word: str) -> list[psutil.Process]:
    """Return every process that has a word among its arguments and is still alive."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if word in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.mark.skipif(
    not rungs.works(Rung.BUBBLEWRAP), reason="bubblewrap does not work here: programs are refused without it"
)
async def test_a_stop_ends_every_process_that_a_step_has_started(mill: Plant) -> None:
    seconds = f"6{int.from_bytes(os.urandom(3))}"
    line = f"setsid sleep {seconds} & sleep {seconds} & sleep {seconds}"
    shell = {
        "id": "shell", "name": "shell", "module_id": "shell_command",
        "config_values": {"command": line, "shell": True, "timeout_seconds": 300},
    }  # fmt: skip
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(shell))
        await until(lambda: len(marked(seconds)) == 3, "the step's processes")
        await engine.runs.stop(run, "0x0")
        assert (await mill.end(engine, run)).run.status == "STOPPED"
        await until(lambda: not marked(seconds), "the end of all of them", 20)


async def test_no_secret_is_in_redis_while_its_step_waits_and_runs(
    mill: Plant, web: Doors, postgres: PostgresServer
) -> None:
    web.close("held")
    held = step(web, "held", method="POST")
    held["config_values"] |= {"headers": [{"name": "X-Key", "value": "{{ data.word }}"}]}
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(held), initial_payload=Payload({"word": SECRET}))
        await web.until("held")
        with redis_client.Redis.from_url(mill.environment["ENGINE_REDIS_URL"]) as client:
            kept = b"".join(client.dump(key) or b"" for key in client.scan_iter()) + b"".join(
                client.scan_iter()
            )
        with contextlib.closing(postgres.connect()) as database:
            rows = database.execute("SELECT request FROM step_claim WHERE run = %s", (run,)).fetchall()
        await web.open("held")
        assert (await mill.end(engine, run)).run.status == "SUCCEEDED"
    assert rows
    held_by_others = kept + b"".join(bytes(row[0]) for row in rows)
    for form in (SECRET.encode(), base64.b64encode(SECRET.encode())[:-4], SECRET.encode().hex().encode()):
        assert form not in held_by_others


async def test_results_and_files_of_many_megabytes_travel_whole(mill: Plant, fleet: Fleet) -> None:
    text = "ä" * 1_500_000
    (fleet.files / "big.txt").write_text(text)
    read = {"id": "read", "name": "read", "module_id": "read_file", "config_values": {"path": "big.txt"}}
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(read, read | {"id": "again"}, read | {"id": "last"}))
        details = await mill.end(engine, run)
        assert details.run.status == "SUCCEEDED", [node.error for node in details.nodes]
        came = [await engine.runs.connection_history(run, edge) for edge in ("e0", "e1")]
    assert [one["data"]["text"] == text for (one,) in came] == [True, True], "what they gave and were given"


async def _waiting(engine: Engine, run: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            for found in (await engine.runs.details(run)).nodes:
                if found.status.value == "WAITING":
                    return found
            await asyncio.sleep(0.05)


async def test_an_approval_and_a_wait_outlast_the_restart_of_every_worker(
    mill: Plant, web: Doors, fleet: Fleet
) -> None:
    ask = {"id": "ask", "name": "ask", "module_id": "manual_approval", "config_values": {}}
    nap = {"id": "nap", "name": "nap", "module_id": "wait_until", "config_values": {"seconds": 1}}
    workflow = chain(step(web, "before"), ask, nap, step(web, "after"))
    workflow["connections"][1]["source_port_name"] = "approved"
    async with mill.engine() as engine:
        run = await mill.start(engine, workflow)
        asked = await _waiting(engine, run)
        for one in (fleet.plain, fleet.special):
            one.consumer().kill()
        signed = SignedAnswer(Answer(Ending.APPROVED, BOB), "text", "0x00", BOB, True, "{}", asked.waiting.id)
        await engine.runs.answer(run, "ask", signed)
        assert (await mill.end(engine, run, 120)).run.status == "SUCCEEDED", fleet.plain.text()
    assert web.came == {"before": 1, "after": 1}
    for one in (fleet.plain, fleet.special):
        assert "it is started again" in one.text()
