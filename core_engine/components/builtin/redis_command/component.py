"""Sends one of the known commands to a Redis server."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

Command = Literal[
    "get", "mget", "exists", "ttl", "type", "strlen",
    "set", "setnx", "mset", "del", "expire", "persist", "incr", "incrby", "decr", "decrby", "append",
    "hget", "hmget", "hgetall", "hlen", "hexists", "hset", "hdel", "hincrby",
    "lrange", "llen", "lindex", "lpush", "rpush", "lpop", "rpop", "ltrim",
    "smembers", "sismember", "scard", "sadd", "srem",
    "zrange", "zscore", "zcard", "zadd", "zrem",
    "publish", "ping",
]  # fmt: skip

_READING = frozenset({
    "get", "mget", "exists", "ttl", "type", "strlen", "hget", "hmget", "hgetall", "hlen", "hexists", "lrange", "llen",
    "lindex", "smembers", "sismember", "scard", "zrange", "zscore", "zcard", "ping",
})  # fmt: skip
_SAME_AFTER_TWICE = frozenset({
    "set", "mset", "del", "expire", "persist", "hset", "hdel", "sadd", "srem", "zadd", "zrem",
})  # fmt: skip
_SET_OPTIONS = frozenset({"EX", "PX", "EXAT", "PXAT"})


class RedisConfig(Config):
    """The server and the command."""

    url: str = Field(
        min_length=1, max_length=4000, title="Server",
        description=(
            "Address of the server: redis://user:password@host:6379/0, or rediss:// for TLS; better a secret variable"
            " than the text itself."
        ),
        json_schema_extra=form(placeholder="{{ vars.REDIS }}", secret=True),
    )  # fmt: skip
    command: Command = Field("get", description="What to do; only these commands are sent.")
    arguments: JsonList[Any] = Field(
        default_factory=list, max_length=10_000,
        description=(
            "The command's arguments as a list: the key first. Numbers are sent as they are written, lists and objects"
            " as JSON. set takes EX or PX and a number after the value; zadd takes pairs of score and member only."
        ),
        json_schema_extra=form(placeholder='["visits"]'),
    )  # fmt: skip
    timeout_seconds: float = Field(10.0, gt=0, le=3600, description="Longest time it may take, in seconds.")


class RedisCommand(Component[RedisConfig]):
    """Sends a command."""

    id = "redis_command"
    name = "Redis command"
    description = (
        "Reads or changes values, hashes, lists, sets and counters on a Redis server, or publishes a message."
    )
    category = "Databases"
    policy = StepPolicy.ONCE
    execution = Execution.THREAD
    config_model = RedisConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    def policy_for(self, config: RedisConfig) -> StepPolicy:
        """Repeat what reads, and what leaves the same values after a second time; nothing else."""
        if config.command in _READING:
            return StepPolicy.REPEATABLE
        return StepPolicy.KEYED if config.command in _SAME_AFTER_TWICE else StepPolicy.ONCE

    @override
    def execute(self, context: Context, config: RedisConfig, payload: Payload) -> Result:
        """Return ``result``: the reply, bytes as text (base64 where they are none), a hash as an object."""
        from core_engine.components.databases.redis_client import ask  # noqa: PLC0415 - heavy, only where used

        words = _words(config)
        reply = ask(config.url, words, self._network, config.timeout_seconds)
        if config.command == "hgetall":
            reply = dict(zip(reply[::2], reply[1::2], strict=True))
        return Result.on("success", {"result": reply}, payload.history)

    @override
    def simulate(self, context: Context, config: RedisConfig, payload: Payload) -> Result:
        """Send nothing; return no reply."""
        context.log(f"Simulated: would send {config.command} with {len(_words(config)) - 1} arguments.")
        return Result.on("success", {"result": None, "simulated": True}, payload.history)


def _words(config: RedisConfig) -> list[str]:
    given = [_word(item) for item in config.arguments]
    if not given and config.command != "ping":
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{config.command} needs arguments, the key first.")
    if config.command == "set" and len(given) > 2:
        if len(given) != 4 or given[2].upper() not in _SET_OPTIONS:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, "set takes key, value and at most EX or PX with a number."
            )
    elif config.command == "zadd" and len(given) % 2 == 0:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "zadd takes the key and pairs of score and member.")
    return [config.command.upper(), *given]


def _word(item: Any) -> str:
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
