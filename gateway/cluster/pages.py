"""Open pages that several gateway processes share: a page may move to another process and keeps what it was shown."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import Any

from typing_extensions import override

from gateway.auth.socket_handshake import SignIn
from gateway.cluster.store import name
from gateway.realtime.pages import Page, Pages

KEEP_SECONDS = 24 * 60 * 60

# Members of a page's hash: address, message, signature, latest; c:<sid> worker; e:<engine>; r:<job> engine|seq;
# v:<engine> token of a share link.
CONNECTION, ENGINE, RUN, VISIT = "c:", "e:", "r:", "v:"

# KEYS: page, labels of the address, pages of the worker. ARGV: sid, "label sid", label.
_LEAVE = """
redis.call('SREM', KEYS[3], ARGV[2])
redis.call('HDEL', KEYS[1], 'c:' .. ARGV[1])
local page = redis.call('HGETALL', KEYS[1])
for i = 1, #page, 2 do
  if string.sub(page[i], 1, 2) == 'c:' then return {} end
end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[3])
return page
"""


class RedisPages(Pages):
    """The pages of all processes; ``worker`` is this one's id.

    A `Page` is read anew for each use. What Redis lost is entered again from what this process knows.
    """

    def __init__(self, redis: Any, worker: str) -> None:
        self._redis = redis
        self._worker = worker
        self._leave = redis.register_script(_LEAVE)
        self._lock = threading.Lock()
        self._own: dict[str, tuple[SignIn, set[str]]] = {}

    @override
    def join(self, sid: str, sign_in: SignIn) -> Page:
        with self._lock:
            self._own.setdefault(sign_in.page, (sign_in, set()))[1].add(sid)
        self._enter(sign_in, [sid])
        return self._read(sign_in.page) or Page(sign_in, {sid})

    @override
    def leave(self, sid: str, sign_in: SignIn) -> Page | None:
        with self._lock:
            _, connections = self._own.get(sign_in.page, (sign_in, set()))
            connections.discard(sid)
            if not connections:
                self._own.pop(sign_in.page, None)
        return self._remove(self._worker, sid, sign_in.page, sign_in.address)

    @override
    def find(self, label: str) -> Page | None:
        page = self._read(label)
        if page is not None:
            return page
        with self._lock:
            sign_in, connections = self._own.get(label, (None, set()))
            sids = sorted(connections)
        if sign_in is None:
            return None
        self._enter(sign_in, sids)
        return self._read(label)

    @override
    def connections(self, page: Page) -> list[str]:
        return sorted(page.connections)

    @override
    def of(self, addresses: Collection[str], engine_id: str) -> list[Page]:
        with self._lock:
            own = {label for label, (sign_in, _) in self._own.items() if sign_in.address in addresses}
        keys = [_visitors(engine_id), *(_labels(address) for address in addresses)]
        pages = map(self.find, sorted(own | set(self._redis.sunion(keys))))
        # A page that closed stays among an engine's visitors until the list ends by itself.
        return [
            page for page in pages if page and (page.sign_in.address in addresses or engine_id in page.visits)
        ]

    @override
    def involve(self, page: Page, engine_id: str, *, latest: bool) -> None:
        members = {} if engine_id in page.engines else {ENGINE + engine_id: "1"}
        if latest and page.latest != engine_id:
            members["latest"] = engine_id
            page.latest = engine_id
        page.engines.add(engine_id)
        if members:
            self._redis.hset(_page(page.sign_in.page), mapping=members)

    @override
    def visit(self, page: Page, engine_id: str, token: str) -> None:
        if page.visits.get(engine_id) == token:
            return
        before = set(page.visits)
        page.visit(engine_id, token)
        key, visitors = _page(page.sign_in.page), _visitors(engine_id)
        with self._redis.pipeline() as pipeline:
            pipeline.hset(key, VISIT + engine_id, token)
            for gone in before - set(page.visits):
                pipeline.hdel(key, VISIT + gone)
            pipeline.sadd(visitors, page.sign_in.page)
            pipeline.expire(visitors, KEEP_SECONDS)
            pipeline.execute()

    @override
    def note(self, page: Page, engine_id: str, sent: Sequence[dict[str, Any]]) -> None:
        before = dict(page.runs)
        for data in sent:
            page.note(engine_id, data)
        changed = {job: run for job, run in page.runs.items() if before.get(job) != run}
        gone = [RUN + job for job in before if job not in page.runs]
        with self._redis.pipeline() as pipeline:
            if changed:
                members = {RUN + job: f"{engine}|{seq}" for job, (engine, seq) in changed.items()}
                pipeline.hset(_page(page.sign_in.page), mapping=members)
            if gone:
                pipeline.hdel(_page(page.sign_in.page), *gone)
            pipeline.execute()

    def enter_again(self) -> list[Page]:
        """Enter all pages of this process, after Redis has lost what it held, and return them."""
        with self._lock:
            own = [(sign_in, sorted(sids)) for sign_in, sids in self._own.values()]
        for sign_in, sids in own:
            self._enter(sign_in, sids)
        return [page for page in (self._read(sign_in.page) for sign_in, _ in own) if page is not None]

    def forget_worker(self, worker: str) -> list[Page]:
        """Forget the connections of a dead process; return the pages that have none left."""
        closed = []
        for member in sorted(self._redis.smembers(name("worker", worker, "pages"))):
            label, _, sid = member.partition(" ")
            address = self._redis.hget(_page(label), "address") or ""
            closed.append(self._remove(worker, sid, label, address))
        return [page for page in closed if page is not None]

    def _enter(self, sign_in: SignIn, sids: Sequence[str]) -> None:
        label, labels = sign_in.page, _labels(sign_in.address)
        own = name("worker", self._worker, "pages")
        members = {"address": sign_in.address, "message": sign_in.message, "signature": sign_in.signature}
        members |= {CONNECTION + sid: self._worker for sid in sids}
        with self._redis.pipeline() as pipeline:
            pipeline.hset(_page(label), mapping=members)
            pipeline.sadd(labels, label)
            for sid in sids:
                pipeline.sadd(own, f"{label} {sid}")
            for key in (_page(label), labels):
                pipeline.expire(key, KEEP_SECONDS)
            pipeline.execute()

    def _remove(self, worker: str, sid: str, label: str, address: str) -> Page | None:
        keys = [_page(label), _labels(address), name("worker", worker, "pages")]
        told = self._leave(keys=keys, args=[sid, f"{label} {sid}", label])
        return _parse(dict(zip(told[::2], told[1::2], strict=True)))

    def _read(self, label: str) -> Page | None:
        page = _parse(self._redis.hgetall(_page(label)))
        return page if page is not None and page.connections else None


def _parse(members: dict[str, str]) -> Page | None:
    if "signature" not in members:
        return None
    page = Page(SignIn(members["address"], members["message"], members["signature"]))
    page.latest = members.get("latest")
    for member, value in members.items():
        if member.startswith(CONNECTION):
            page.connections.add(member[len(CONNECTION) :])
        elif member.startswith(ENGINE):
            page.engines.add(member[len(ENGINE) :])
        elif member.startswith(VISIT):
            page.visits[member[len(VISIT) :]] = value
        elif member.startswith(RUN):
            engine_id, _, seq = value.rpartition("|")
            page.runs[member[len(RUN) :]] = (engine_id, int(seq))
    return page


def _page(label: str) -> str:
    return name("page", label)


def _visitors(engine_id: str) -> str:
    return name("visitors", engine_id)


def _labels(address: str) -> str:
    return name("address", address)
