"""Presence that several gateway processes share: one record for each engine in Redis, fenced by its link."""

from __future__ import annotations

import threading
from typing import Any

from typing_extensions import override

from gateway.cluster.store import name
from gateway.realtime.presence import Link, Presence
from shared.clock import Clock
from shared.contract.engine import GuiVitals

MISSING = -1

# KEYS: link, epoch counter, engines of this worker. ARGV: engine, sid, worker, now, ready.
_CONNECT = """
local old = redis.call('HGETALL', KEYS[1])
local epoch = redis.call('INCR', KEYS[2])
redis.call('HSET', KEYS[1], 'sid', ARGV[2], 'worker', ARGV[3], 'epoch', epoch, 'heard_ms', ARGV[4])
if ARGV[5] == '1' then redis.call('HSET', KEYS[1], 'ready', '1') end
redis.call('SADD', KEYS[3], ARGV[1])
return old
"""
# KEYS: link. ARGV: sid, then members to set. Gives -1 for no link, 0 for another one.
_TOUCH = """
local sid = redis.call('HGET', KEYS[1], 'sid')
if not sid then return -1 end
if sid ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
"""
# KEYS: link, engines of the worker. ARGV: engine, member, its value.
_FORGET = """
redis.call('SREM', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[1], ARGV[2]) ~= ARGV[3] then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""
# KEYS: link. ARGV: start of a worker's key. Gives nothing where the worker that holds the link is gone.
_FIND = """
local link = redis.call('HGETALL', KEYS[1])
if #link == 0 then return link end
local worker = redis.call('HGET', KEYS[1], 'worker')
if redis.call('EXISTS', ARGV[1] .. worker) == 0 then return {} end
return link
"""


class RedisPresence(Presence):
    """Presence of all processes. ``worker`` is this one's id, whose life `gateway.cluster.workers` shows.

    A record that Redis lost (or that was taken for a dead process's) is written anew at the link's next sign of life.
    """

    def __init__(self, redis: Any, worker: str, clock: Clock, timeout_seconds: float) -> None:
        self._redis = redis
        self._worker = worker
        self._clock = clock
        self._timeout_ms = timeout_seconds * 1000
        self._connect, self._touch, self._forget, self._find = (
            redis.register_script(script) for script in (_CONNECT, _TOUCH, _FORGET, _FIND)
        )
        self._lock = threading.Lock()
        self._own: dict[str, tuple[str, bool]] = {}
        self._restored: set[str] = set()

    @override
    def connect(self, engine_id: str, sid: str) -> Link | None:
        old = self._write(engine_id, sid, ready=False)
        with self._lock:
            self._own[engine_id] = (sid, old is not None and old.ready)
        return old

    @override
    def disconnect(self, engine_id: str, sid: str) -> bool:
        with self._lock:
            if self._own.get(engine_id, ("",))[0] == sid:
                del self._own[engine_id]
        keys = [_link(engine_id), name("worker", self._worker, "engines")]
        return bool(self._forget(keys=keys, args=[engine_id, "sid", sid]) == 1)

    @override
    def hear(self, engine_id: str, sid: str, vitals: GuiVitals | None = None) -> bool:
        members = ["heard_ms", str(self._clock.now_ms())]
        if vitals is not None:
            members += ["vitals", vitals.model_dump_json()]
        return self._set(engine_id, sid, members)

    @override
    def announce(self, engine_id: str, sid: str) -> bool:
        with self._lock:
            if self._own.get(engine_id, ("",))[0] == sid:
                self._own[engine_id] = (sid, True)
        return self._set(engine_id, sid, ["ready", "1"])

    @override
    def find(self, engine_id: str) -> Link | None:
        found = self._find(keys=[_link(engine_id)], args=[name("worker", "")])
        return self._read(engine_id, found)

    @override
    def is_online(self, engine_id: str) -> bool:
        link = self.find(engine_id)
        return link is not None and link.ready and self._clock.now_ms() - link.heard_ms < self._timeout_ms

    @override
    def heard_at(self, engine_id: str) -> int | None:
        link = self.find(engine_id)
        return None if link is None else link.heard_ms

    def forget_worker(self, worker: str) -> list[str]:
        """Forget the links of a dead process; return the engines that are offline by that."""
        engines = sorted(self._redis.smembers(name("worker", worker, "engines")))
        keys = name("worker", worker, "engines")
        return [
            engine_id
            for engine_id in engines
            if self._forget(keys=[_link(engine_id), keys], args=[engine_id, "worker", worker]) == 1
        ]

    def take_restored(self) -> set[str]:
        """Return the engines whose records were written anew since the last call."""
        with self._lock:
            restored, self._restored = self._restored, set()
        return restored

    def _set(self, engine_id: str, sid: str, members: list[str]) -> bool:
        done = self._touch(keys=[_link(engine_id)], args=[sid, *members])
        if done != MISSING:
            return bool(done == 1)
        with self._lock:
            own = self._own.get(engine_id)
        if own is None or own[0] != sid:
            return False
        self._write(engine_id, sid, ready=own[1])
        with self._lock:
            self._restored.add(engine_id)
        return bool(self._touch(keys=[_link(engine_id)], args=[sid, *members]) == 1)

    def _write(self, engine_id: str, sid: str, *, ready: bool) -> Link | None:
        keys = [_link(engine_id), name("epoch"), name("worker", self._worker, "engines")]
        given = [engine_id, sid, self._worker, self._clock.now_ms(), "1" if ready else "0"]
        return self._read(engine_id, self._connect(keys=keys, args=given))

    def _read(self, engine_id: str, told: list[str]) -> Link | None:
        link = dict(zip(told[::2], told[1::2], strict=True))
        if not link:
            return None
        heard_ms, vitals = int(link["heard_ms"]), link.get("vitals")
        return Link(
            engine_id=engine_id,
            sid=link["sid"],
            epoch=int(link["epoch"]),
            heard_ms=heard_ms,
            heard=self._clock.monotonic() - (self._clock.now_ms() - heard_ms) / 1000,
            ready=link.get("ready") == "1",
            vitals=GuiVitals.model_validate_json(vitals) if vitals else None,
        )


def _link(engine_id: str) -> str:
    return name("link", engine_id)
