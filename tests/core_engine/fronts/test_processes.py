"""Clients at fronts: the same as at the process that works, also when that one is killed under them."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from core_engine.fronts.channel import StrangerError, meet_leader
from core_engine.fronts.places import KEY, Place
from core_engine.fronts.sealing import LinkKey
from shared.signing.envelope import seal
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER, STRANGER, Talker, chain, waiting
from tests.core_engine.fronts.trio import client, health, processes, seqs, told
from tests.core_engine.test_app import Process
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as made:
        yield made


@pytest.fixture(scope="module")
def three(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Process]]:
    folder = tmp_path_factory.mktemp("three")
    with processes(folder, 3, told(server, "three", ENGINE_OUTBOX_BYTES=str(256 * 1024))) as made:
        yield made


@pytest.fixture
def mortal(server: PostgresServer, tmp_path: Path) -> Iterator[list[Process]]:
    """Three that a test may end."""
    with processes(tmp_path, 3, told(server, "mortal")) as made:
        yield made


async def test_a_run_started_at_one_front_is_seen_whole_and_stopped_at_another(three: list[Process]) -> None:
    leader, first, second = three
    async with client(first) as starter, client(second) as other, client(leader) as third:
        await starter.send("execute_workflow", job_id="seen", workflow_data=chain(3))
        await starter.finish("seen")
        found = seqs(starter.frames, "seen")
        assert found == list(range(1, len(found) + 1))
        await starter.send("execute_workflow", job_id="long", workflow_data=waiting(60))
        await starter.until(lambda frame: frame["type"] == "NODE_EXECUTION_METRIC")
        assert (await third.ask("get_run", job_id="long"))["run"]["status"] == "RUNNING"
        stopped = await other.ask("stop_workflow", job_id="long")
        assert stopped["status_data"]["status"] in {"STOPPING", "STOPPED"}
        assert (await starter.finish("long"))["status_data"]["status"] == "STOPPED"


async def test_what_is_signed_once_is_accepted_once_at_whatever_process(three: list[Process]) -> None:
    async with client(three[1]) as first, client(three[2]) as second, client(three[0]) as third:
        envelope = first.sealed({"type": "execute_workflow", "job_id": "once", "workflow_data": chain(1)})
        for talker in (first, second, third):
            await talker.socket.send(envelope)
        await first.ask("list_runs"), await second.ask("list_runs"), await third.ask("list_runs")
        replayed = [
            frame
            for talker in (first, second, third)
            for frame in talker.frames
            if frame.get("code") == "REPLAYED"
        ]
        assert len(replayed) == 2


async def test_a_front_refuses_what_the_engine_refuses(three: list[Process]) -> None:
    async with client(three[1]) as talker:
        assert (await talker.raw("{"))["code"] == "INVALID_REQUEST"
        forged = json.loads(talker.sealed({"type": "list_runs"}))
        forged["payload"]["type"] = "request_variables"
        assert (await talker.raw(json.dumps(forged)))["code"] == "BAD_SIGNATURE"
        late = seal(OWNER, ENGINE_ID, {"type": "list_runs"}, now_ms=CLOCK.now_ms() - 3_600_000)
        assert (await talker.raw(late))["code"] == "STALE"
        assert (await talker.ask("list_runs", STRANGER))["code"] == "FORBIDDEN"
        assert (await talker.ask("no_such_thing"))["code"] == "UNKNOWN_COMMAND"
        assert (await talker.ask("list_runs", OWNER))["type"] == "runs_list_response"


async def test_roles_and_health(three: list[Process]) -> None:
    leader, first, _ = three
    async with client(first) as talker:  # answered, so it is linked
        await talker.ask("list_runs")
        assert health(leader, "/healthz") == (200, {"status": "alive", "role": "leader"})
        assert health(first, "/healthz") == (200, {"status": "alive", "role": "front"})
        assert health(first, "/readyz") == (200, {"status": "ready", "role": "front"})
        assert health(leader, "/readyz") == (200, {"status": "ready", "role": "leader"})
        status, answer = health(first, "/webhook/x")
        assert (status, answer["code"]) == (503, "ENGINE_UNAVAILABLE")


async def test_a_client_that_does_not_read_holds_nobody_up(three: list[Process]) -> None:
    front = three[1]
    async with client(front, max_queue=1) as slow, client(front) as quick:
        payload = {"text": "x" * 60_000}
        for _ in range(120):
            await slow.send(
                "execute_workflow", workflow_data=chain(1, static_payload=payload), padding="y" * 60_000
            )
        assert (await quick.ask("list_runs"))["type"] == "runs_list_response"
        await quick.send("execute_workflow", job_id="beside", workflow_data=chain(2))
        assert (await quick.finish("beside"))["status_data"]["status"] == "SUCCEEDED"


async def test_a_stranger_at_the_inner_port_is_refused(three: list[Process], server: PostgresServer) -> None:
    schema = told(server, "three")["ENGINE_DATABASE_SCHEMA"]
    with server.connect() as link:
        (body,) = link.execute(f"SELECT body FROM {schema}.value WHERE key = %s", (KEY,)).fetchone()
    place = msgspec.json.decode(bytes(body), type=Place)
    assert place.host == "127.0.0.1"
    with pytest.raises(StrangerError):
        await meet_leader(place.host, place.port, LinkKey(b"3" * 32, ENGINE_ID), place.epoch)
    reader, writer = await asyncio.open_connection(place.host, place.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
    async with asyncio.timeout(30):
        while await reader.read(4096):
            pass
    writer.close()
    async with client(three[1]) as talker:
        assert (await talker.ask("list_runs"))["type"] == "runs_list_response"
    assert "refused a front" in three[0].log.read_text()


async def taken_over(
    starter: Talker, others: list[Talker], job_id: str, leader: Process, number: int
) -> None:
    """Start a run, stop the process that works with a signal, and see the run's events whole all the same."""
    await starter.send("execute_workflow", job_id=job_id, workflow_data=chain(6, "delay", seconds=0.5))
    await starter.until(lambda frame: frame["type"] == "NODE_EXECUTION_METRIC")
    for other in others:
        await other.ask("subscribe_run", job_id=job_id)
    leader.popen.send_signal(number)
    await starter.send("list_runs", request_id=job_id)
    for talker in (starter, *others):
        assert (await talker.finish(job_id))["status_data"]["status"] == "SUCCEEDED"
        found = seqs(talker.frames, job_id)
        assert found == list(range(1, len(found) + 1)), "without gap or repeat"
    answer = next(frame for frame in starter.frames if frame.get("request_id") == job_id)
    assert answer["type"] == "runs_list_response" or answer["details"]["outcome"] == "unknown"
    assert (await starter.ask("list_runs"))["type"] == "runs_list_response"


@pytest.mark.timeout(300)
async def test_the_working_process_is_frozen_and_the_next_one_killed_under_runs(
    mortal: list[Process],
) -> None:
    frozen, first, second = mortal
    async with client(first) as left, client(second) as right:
        await taken_over(left, [right], "frozen", frozen, signal.SIGSTOP)
        frozen.popen.send_signal(signal.SIGCONT)
        assert await asyncio.to_thread(frozen.popen.wait, 60) == 70, "its place is taken"
        promoted = health(first, "/healthz")[1]["role"] == "leader"
        killed, talker, last = (first, right, second) if promoted else (second, left, first)
        assert health(last, "/healthz")[1]["role"] == "front"
        await taken_over(talker, [], "killed", killed, signal.SIGKILL)
    assert health(last, "/healthz")[1]["role"] == "leader"
    assert last.end()[0] == 0
