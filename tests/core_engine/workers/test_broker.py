"""Sending tickets over a connection that is kept."""

from __future__ import annotations

from pathlib import Path

import redis as redis_client

from core_engine.workers.broker import Broker, Hint
from tests.support.redis import redis_server


def test_tickets_go_out_at_once_when_redis_was_started_anew_or_emptied(tmp_path: Path) -> None:
    hints = [Hint(f"claim-{number}", "queue", "ticket") for number in range(3)]
    with redis_server(tmp_path) as server:
        broker = Broker(server.url)
        assert broker.send(hints) == ["claim-0", "claim-1", "claim-2"]
        with redis_client.Redis(port=server.port) as client:
            (made,) = {one["id"] for one in client.client_list() if one["cmd"] == "lpush"}
            client.flushall()
            assert len(broker.send(hints)) == 3
            assert client.llen("queue") == 3
            assert {one["id"] for one in client.client_list() if one["cmd"] == "lpush"} == {made}, (
                "it is kept"
            )
    assert broker.send(hints) == []
    assert broker.send(hints) == []
    with redis_server(tmp_path, port=server.port), redis_client.Redis(port=server.port) as client:
        assert len(broker.send(hints)) == 3
        client.client_kill_filter(_type="normal", skipme=True)
        assert len(broker.send(hints)) == 3, "a cut line is made anew at once"
        assert client.llen("queue") == 6
    broker.close()
