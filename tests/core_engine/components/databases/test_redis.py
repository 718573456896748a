"""Redis commands on a real server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from core_engine.components.builtin.redis_command.component import _READING, Command, RedisCommand
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.errors import ErrorCode, FloworkError
from tests.support.redis import RedisServer, redis_server

NETWORK = NetworkPolicy(["127.0.0.0/8"])
Send = Callable[..., Any]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), password="p:ss") as made:
        yield made


@pytest.fixture
def send(redis: RedisServer, around) -> Send:
    url = redis.url.replace("p:ss", "p%3Ass")

    def call(command: str, *arguments: Any, **settings: Any) -> Any:
        component = RedisCommand(settings.pop("network", NETWORK))
        values = {"url": url, "command": command, "arguments": list(arguments), **settings}
        result = component.execute(around, component.parse_config(values), Payload({}))
        return result.outputs["success"].data["result"]

    return call


def test_values_counters_and_their_time(send: Send) -> None:
    assert send("ping") == "PONG"
    assert send("set", "v", "ä {{x}}\r\nDEL v", "EX", 100) == "OK"
    assert send("get", "v") == "ä {{x}}\r\nDEL v"
    assert 0 < send("ttl", "v") <= 100
    assert send("get", "nothing") is None
    assert [send("incr", "n"), send("incrby", "n", 5), send("decr", "n")] == [1, 6, 5]
    assert send("mget", "n", "nothing") == ["5", None]
    assert send("del", "n", "v") == 2
    assert send("set", "j", {"a": [1, None]}) == "OK"
    assert send("get", "j") == '{"a": [1, null]}'


def test_hashes_lists_sets_and_scores(send: Send) -> None:
    assert send("hset", "h", "a", 1, "b", 2.5) == 2
    assert send("hgetall", "h") == {"a": "1", "b": "2.5"}
    assert send("hgetall", "nothing") == {}
    assert send("rpush", "l", "one", "two", "three") == 3
    assert send("lrange", "l", 0, -1) == ["one", "two", "three"]
    assert send("lpop", "l") == "one"
    assert send("sadd", "s", "x", "x") == 1
    assert send("smembers", "s") == ["x"]
    assert send("zadd", "z", 2, "two", 1, "one") == 2
    assert send("zrange", "z", 0, -1, "WITHSCORES") == ["one", "1", "two", "2"]
    assert send("publish", "channel", "hello") == 0


@pytest.mark.parametrize(
    "command",
    [
        "flushall",
        "config",
        "eval",
        "script",
        "debug",
        "keys",
        "slaveof",
        "module",
        "save",
        "GET x\r\nFLUSHALL",
    ],
)
def test_other_commands_cannot_even_be_set(send: Send, command: str) -> None:
    with pytest.raises(ValueError, match="command"):
        send(command, "x")


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("get", []), ("set", ["k", "v", "NX"]), ("set", ["k", "v", "GET", "1"]), ("zadd", ["z", "INCR", "1", "m"]),
    ],
)  # fmt: skip
def test_arguments_that_change_the_meaning_are_refused(
    send: Send, command: str, arguments: list[str]
) -> None:
    with pytest.raises(FloworkError) as caught:
        send(command, *arguments)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_what_the_server_refuses_is_told(send: Send, redis: RedisServer) -> None:
    send("set", "text", "abc")
    with pytest.raises(FloworkError, match=r"WRONGTYPE|wrong kind") as caught:
        send("lpush", "text", "x")
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    with pytest.raises(FloworkError) as caught:
        send("get", "text", url=redis.url.replace("p:ss", "wrong"))
    assert "wrong" not in caught.value.message.replace("WRONGPASS", "")


@pytest.mark.parametrize(
    "url", ["unix:///tmp/x", "redis:///0", "redis://h/x", "redis://h?host=b", "http://h", "redis://h:x"]
)
def test_other_addresses_are_refused(send: Send, url: str) -> None:
    with pytest.raises(FloworkError) as caught:
        send("ping", url=url)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_private_addresses_need_the_owners_leave(send: Send) -> None:
    with pytest.raises(FloworkError, match="not a public address") as caught:
        send("ping", network=NetworkPolicy())
    assert caught.value.code is ErrorCode.FORBIDDEN


def test_a_server_that_drips_is_left_in_time(send: Send) -> None:
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        with suppress(OSError):
            made, _ = listener.accept()
            with made:
                while not ended.wait(0.05):
                    made.sendall(b"+")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(FloworkError) as caught:
            send("ping", url=f"redis://127.0.0.1:{listener.getsockname()[1]}/0", timeout_seconds=0.5)
        ended.set()
        thread.join(10)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


def test_a_certificate_nobody_vouches_for_is_refused(send: Send, redis: RedisServer) -> None:
    with pytest.raises(FloworkError) as caught:  # the server does not speak TLS at all
        send("ping", url=f"rediss://127.0.0.1:{redis.port}/0", timeout_seconds=2)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED


def test_every_command_has_an_honest_policy(registry) -> None:
    component = registry.find("redis_command")

    def policy(command: str) -> StepPolicy:
        return component.policy_for(component.parse_config({"url": "redis://h", "command": command}))

    known = set(Command.__args__)
    assert {command for command in known if policy(command) is StepPolicy.REPEATABLE} == _READING
    for command in ("incr", "lpush", "rpop", "publish", "setnx", "append", "hincrby", "ltrim"):
        assert policy(command) is StepPolicy.ONCE
    assert policy("set") is policy("hset") is StepPolicy.KEYED


def test_simulating_sends_nothing(registry, around) -> None:
    component = registry.find("redis_command")
    config = component.parse_config({"url": "redis://h.invalid", "command": "del", "arguments": ["k"]})
    assert component.simulate(around, config, Payload({})).outputs["success"].data["simulated"]
