"""The raw WebSocket of a real engine: who gets in, and what becomes of greedy, slow and silent clients."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from shared.contract import catalog
from tests.core_engine.engine import ENGINE_ID, OWNER, READER, STRANGER, admit, chain, engine, talker, waiting


@pytest.mark.parametrize(
    "query",
    ["", "?engineId=", "?engineId=engine-2", f"?engineid={ENGINE_ID}", f"?engineId={ENGINE_ID}&engineId=x"],
)
async def test_a_missing_or_wrong_engine_id_closes_with_its_code(tmp_path: Path, query: str) -> None:
    async with engine(tmp_path) as running, talker(running, query=query) as client:
        assert await client.closed() == (1008, "Invalid engineId")


async def test_the_documented_url_without_a_path_connects(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        async with connect(f"{running.address.socket}?engineId={ENGINE_ID}") as socket:
            assert await (await socket.ping()) >= 0
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{running.address.socket}/elsewhere?engineId={ENGINE_ID}")
        assert caught.value.response.status_code == 404


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost", "http://127.0.0.1:1"])
async def test_pages_of_others_are_refused_before_the_upgrade(tmp_path: Path, origin: str) -> None:
    async with engine(tmp_path, ENGINE_ALLOWED_ORIGINS="https://app.example") as running:
        with pytest.raises(InvalidStatus) as caught:
            await connect(f"{running.address.socket}/?engineId={ENGINE_ID}", origin=origin)
        assert caught.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://app.example", "http://localhost:8000", "http://127.0.0.1:8000"])
async def test_allowed_pages_and_those_of_the_gateway_connect(tmp_path: Path, origin: str) -> None:
    allowed = {"ENGINE_ALLOWED_ORIGINS": "https://app.example"}
    async with engine(tmp_path, **allowed) as running, talker(running, origin=origin) as client:
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


@pytest.mark.parametrize("path", ["/elsewhere", "/"])
async def test_a_refused_client_that_goes_on_with_nonsense_is_no_mistake_of_ours(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    async with engine(tmp_path) as running:
        port = int(running.address.socket.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ask.encode() + 4 * b"\xff")
        async with asyncio.timeout(30):
            await reader.read()
        writer.close()
        async with talker(running) as client:
            assert (await client.ask("list_runs"))["runs"] == []
    assert [record for record in caplog.records if record.exc_info] == []


async def test_text_and_binary_frames_mean_the_same(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for encode in (str, str.encode):
            answer = await client.raw(encode(client.sealed({"type": "list_runs"})))
            assert answer["type"] == "runs_list_response"
        message = client.sealed({"type": "list_runs"})
        await client.socket.send([message[:50], message[50:90], message[90:]])
        assert (await client.next())["type"] == "runs_list_response"


async def test_a_message_too_large_is_answered_and_the_connection_lives(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_MAX_MESSAGE_BYTES="4096") as running, talker(running) as client:
        refused = await client.raw(client.sealed({"type": "list_runs", "padding": "x" * 5000}))
        assert refused["code"] == "TOO_LARGE"
        assert refused["details"] == {"max_bytes": 4096}
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


async def test_a_message_beyond_all_bounds_ends_the_connection(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_MAX_MESSAGE_BYTES="4096") as running, talker(running) as client:
        await client.socket.send("x" * (4096 * 2 + 64 * 1024 + 1))
        assert (await client.closed())[0] == 1009


async def test_messages_beyond_the_rate_are_answered_with_the_time_to_wait(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_MESSAGES_PER_SECOND="5") as running, talker(running) as client:
        for number in range(8):
            await client.send("list_runs", request_id=str(number))
        answers = {}
        for _ in range(8):
            frame = await client.next()
            answers[frame["request_id"]] = frame
        refused = [frame for frame in answers.values() if frame["type"] == "error"]
        assert len(answers) == 8, "every message is answered"
        assert 2 <= len(refused) <= 3
        assert {frame["code"] for frame in refused} == {"RATE_LIMITED"}
        assert all(0 < frame["details"]["retry_after"] <= 1 for frame in refused)
        await asyncio.sleep(max(frame["details"]["retry_after"] for frame in refused) + 0.2)
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


async def test_refused_signatures_cost_more_than_good_messages(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_MESSAGES_PER_SECOND="100") as running, talker(running) as client:
        for _ in range(30):
            await client.socket.send('{"auth":{},"payload":{}}')
        codes = [(await client.next())["code"] for _ in range(30)]
        assert codes.count("UNAUTHENTICATED") < 10
        assert codes[-1] == "RATE_LIMITED"


async def test_a_silent_connection_is_ended(tmp_path: Path) -> None:
    async with (
        engine(tmp_path, ENGINE_AUTH_DEADLINE_SECONDS="0.5") as running,
        talker(running) as silent,
        talker(running) as bad,
        talker(running) as good,
    ):
        assert (await bad.raw("{}"))["type"] == "error"
        await good.ask("list_runs")
        assert await silent.closed() == (1008, "No signed message in time")
        assert await bad.closed() == (1008, "No signed message in time")
        assert (await good.ask("list_runs"))["type"] == "runs_list_response"


async def test_connections_are_capped_and_the_place_becomes_free(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_MAX_CONNECTIONS="2") as running, talker(running) as first:
        async with talker(running) as second:
            await first.ask("list_runs")
            await second.ask("list_runs")
            with pytest.raises(InvalidStatus) as caught:
                await connect(f"{running.address.socket}/?engineId={ENGINE_ID}")
            assert caught.value.response.status_code == 503
        async with asyncio.timeout(60):
            while running.sockets.connections > 1:  # noqa: ASYNC110 - the server notices a little later
                await asyncio.sleep(0.01)
        async with talker(running) as third:
            await third.ask("list_runs")


async def test_slow_handshakes_do_not_keep_real_clients_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core_engine.transport.server.HANDSHAKE_SECONDS", 2)
    async with engine(tmp_path) as running:
        port = running.sockets.port
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in slow:
            writer.write(b"GET /?engineId=engine-1 HTTP/1.1\r\nHost: x\r\n")
        async with asyncio.timeout(60), talker(running) as client:
            await client.ask("list_runs")
        async with asyncio.timeout(60):
            for reader, writer in slow:
                assert await reader.read() == b"", "cut off"
                writer.close()


async def test_a_flood_of_pings_ends_the_connection(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("list_runs")
        for _ in range(300):
            await client.socket.pong()
        assert (await client.closed())[0] == 1006
        async with talker(running) as other:
            await other.ask("list_runs")


async def test_frames_of_a_tick_come_as_one_batch_where_asked_for(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        async with talker(running, query=f"?engineId={ENGINE_ID}&frames=batch") as client:
            await client.send("execute_workflow", job_id="batched", workflow_data=chain(3))
            frames: list[dict[str, Any]] = []
            messages = 0
            while not frames or frames[-1].get("status_data", {}).get("status") != "SUCCEEDED":
                async with asyncio.timeout(10):
                    message = json.loads(await client.socket.recv())
                messages += 1
                frames += message["frames"] if message["type"] == "batch" else [message]
        assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
        assert messages < len(frames)
        for frame in frames:
            catalog.events()[frame["type"]].model_validate(frame)


async def test_a_slow_reader_is_dropped_and_nobody_else_notices(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_OUTBOX_BYTES=str(64 * 1024)) as running, talker(running) as watcher:
        async with talker(running, max_queue=1) as slow:
            await slow.send("list_runs")
            transport = slow.socket.transport
            transport.pause_reading()
            big = chain(1, variables_to_set=[{"name": "text", "value": "x" * 50_000}])
            big["nodes"].append({"id": "show", "module_id": "debug_popup_module"})
            big["connections"].append({"source": "n0", "target": "show"})
            await slow.send("execute_workflow", job_id="big-0", workflow_data=big)
            for number in range(1, 400):
                if running.sockets.connections == 1:
                    break
                await slow.send("execute_workflow", job_id=f"big-{number}", workflow_data=big)
                await asyncio.sleep(0.01)
            assert running.sockets.connections == 1, "dropped"
        runs = await watcher.ask("list_runs", limit=500)
        assert len(runs["runs"]) > 1
        summary = await watcher.ask("get_run", job_id="big-0")
        assert summary["run"]["status"] == "SUCCEEDED", "the run itself does not depend on who reads"


async def test_a_revoked_guest_is_cut_off_at_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        await admit(running)
        async with (
            talker(running, READER) as guest,
            talker(running) as owner,
            talker(running, STRANGER) as stranger,
        ):
            await guest.ask("list_runs")
            await owner.ask("list_runs")
            assert (await stranger.raw(stranger.sealed({"type": "list_runs"})))["code"] == "FORBIDDEN"
            await running.access.replace_guests([OWNER.address])
            async with asyncio.timeout(30):
                assert await guest.closed() == (1008, "Access revoked")
            assert (await owner.ask("list_runs"))["type"] == "runs_list_response"
        async with talker(running, READER) as again:
            assert (await again.raw(again.sealed({"type": "list_runs"})))["code"] == "FORBIDDEN"


async def test_vitals_reach_those_with_a_role_only(tmp_path: Path) -> None:
    async with (
        engine(tmp_path, ENGINE_VITALS_SECONDS="0.2") as running,
        talker(running) as owner,
        talker(running, STRANGER) as stranger,
        talker(running) as silent,
    ):
        await owner.send("list_runs")
        await stranger.send("list_runs")
        for _ in range(2):
            vitals = await owner.until(lambda frame: frame["type"] == "engine_status_update")
            assert vitals["engineId"] == ENGINE_ID
        assert (await stranger.next())["code"] == "FORBIDDEN"
        for other in (stranger, silent):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await other.socket.recv()


async def test_the_end_of_the_engine_is_announced(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running) as silent:
        await client.send("execute_workflow", job_id="long", workflow_data=waiting())
        await client.next()
        await running.close()
        assert await client.closed() == (1001, "The engine stops")
        assert await silent.closed() == (1001, "The engine stops")
        with pytest.raises(ConnectionRefusedError):
            await connect(f"ws://127.0.0.1:{client.socket.remote_address[1]}/?engineId={ENGINE_ID}")
