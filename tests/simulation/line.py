"""P3: the engine's real link, the gateway's real presence, and a network that a seed makes lose, hold and cut."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Self

import socketio

from core_engine.gateway_link import link as link_module
from core_engine.gateway_link import session as session_module
from core_engine.gateway_link.introduction import Introduction
from core_engine.gateway_link.link import GatewayLink, LinkState, LinkTarget
from core_engine.gateway_link.vitals import Vitals
from gateway.realtime.engine import EngineEndpoint
from gateway.realtime.presence import MemoryPresence
from gateway.realtime.steadiness import Steadiness
from gateway.resources.engines.queries import EngineRow
from shared.errors import ErrorCode, FloworkError
from tests.simulation.loop import SimClock, SimLoop

FAULTS_END = (20.0, 20.0, 40.0, 120.0)
ENGINES = ("eng-a", "eng-b")
TIMEOUT = 30.0
OFFLINE = socketio.exceptions.ConnectionError


class Gateway:
    """One gateway process after the other: its presence is lost with it, the number of its process goes on."""

    def __init__(self, world: LinkWorld) -> None:
        self.world = world
        self.up = True
        self.sockets: dict[str, SimSocket] = {}
        self.announced: dict[str, bool] = {}
        self._begin()

    def _begin(self) -> None:
        clock: Any = self.world.clock
        self.presence = MemoryPresence(clock, TIMEOUT)
        self.steadiness = Steadiness(self.presence, self._announce, clock, TIMEOUT)
        server = SimpleNamespace(publish=self._publish, drop=self._drop)
        nothing = SimpleNamespace(note=_ignore, forget=_ignore, reconcile=_ignore, engine_up=_ignore)
        gui = SimpleNamespace(announce_status=self._announce, announce_vitals=_ignore)
        tokens = SimpleNamespace(
            authenticate=self._authenticate, is_current=lambda known: known.token_hash == self.world.token
        )
        pieces: dict[str, Any] = {
            "server": server, "tokens": tokens, "service_key": SimpleNamespace(admits=lambda _key: True),
            "presence": self.presence, "gui": gui, "relay": nothing, "seen": nothing, "owners": nothing,
            "steadiness": self.steadiness,
        }  # fmt: skip
        self.endpoint = EngineEndpoint(**pieces)

    def restart(self) -> None:
        """Lose every connection and all that was known."""
        for socket in list(self.sockets.values()):
            socket.cut(noticed_here=False)
        self.sockets.clear()
        self._begin()

    def _authenticate(self, engine_id: str, token: str) -> Any:
        if token != self.world.token:
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "Invalid engine_id or token")
        return EngineRow(engine_id, None, engine_id, token, None)

    def _announce(self, engine_id: str) -> None:
        self.announced[engine_id] = self.presence.is_online(engine_id)

    def _publish(self, _namespace: str, event: str, data: Any, sid: str) -> None:
        socket = self.sockets.get(sid)
        if socket:
            socket.tell(event, data)

    def _drop(self, _namespace: str, sid: str) -> None:
        socket = self.sockets.get(sid)
        if socket:
            socket.cut(noticed_here=True)


class SimSocket:
    """In place of `socketio.AsyncClient`: one connection through the simulated network."""

    def __init__(self, world: LinkWorld) -> None:
        self._world = world
        self._handlers: dict[str, Callable[..., Any]] = {}
        self._known: Any = None
        self._sent = self._told = 0.0
        self.sid = ""
        self.alive = False

    def on(self, event: str, handler: Callable[..., Any], namespace: str) -> None:
        self._handlers[event] = handler

    async def connect(self, url: str, *, auth: dict[str, Any], headers: dict[str, str], **_more: Any) -> None:
        world = self._world
        await asyncio.sleep(world.delay())
        if not world.gateway.up or world.lost():
            await asyncio.sleep(world.rng.choice([0.0, 1.0, 30.0]))
            raise OFFLINE("nobody answers")
        gateway, self.sid = world.gateway, f"sid-{next(world.numbers)}"
        gateway.sockets[self.sid] = self
        self.alive = True
        environ = {"HTTP_AUTHORIZATION": headers["Authorization"]}
        try:
            self._known = gateway.endpoint.accept(self.sid, environ, auth)
        except FloworkError as error:
            self.alive = False
            del gateway.sockets[self.sid]
            await self._handlers["connect_error"](error.message)
            raise OFFLINE(error.message) from None
        self._sent = (
            world.loop.now + world.delay()
        )  # a server reads a connection's packets one after the other
        world.loop.call_at(self._sent, self._join, gateway)

    def _join(self, gateway: Gateway) -> None:
        if gateway.sockets.get(self.sid) is self:
            gateway.endpoint.joined(self.sid, self._known)
            self._world.note_join(self._known.id, self.sid)

    async def emit(self, event: str, data: Any, namespace: str, callback: Any = None) -> None:
        if not self.alive:
            raise socketio.exceptions.BadNamespaceError("not connected")
        self._sent = max(self._sent, self._world.loop.now) + self._world.delay()
        self._world.loop.call_at(self._sent, self._arrive, event, data, callback)

    def _arrive(self, event: str, data: Any, callback: Any) -> None:
        gateway = self._world.gateway
        if gateway.sockets.get(self.sid) is not self or self._world.is_cut(self.sid):
            return
        try:
            gateway.endpoint.receive(self.sid, self._known, event, [{"v": 2, "payload": data}])
        except FloworkError as error:
            if error.code is not ErrorCode.CONFLICT:
                raise
        self._world.judge(self._known.id)
        if callback:
            self._told = max(self._told, self._world.loop.now) + self._world.delay()
            self._world.loop.call_at(self._told, callback)

    def tell(self, event: str, data: Any) -> None:
        """Be told something by the gateway, a little later and in order."""
        self._told = max(self._told, self._world.loop.now) + self._world.delay()
        self._world.loop.call_at(self._told, self._hear, event, data)

    def _hear(self, event: str, data: Any) -> None:
        if self.alive and not self._world.is_cut(self.sid) and event in self._handlers:
            self._world.keep(self._handlers[event](data))

    def cut(self, *, noticed_here: bool) -> None:
        """Break the connection; each side notices in its own time, the gateway at once where it did it."""
        world = self._world
        world.cuts.add(self.sid)
        loop, rng = world.loop, world.rng
        loop.call_later(rng.uniform(0, 20), self._notice)
        loop.call_later(0.0 if noticed_here else rng.uniform(0, 45), self._left, world.gateway)

    def _notice(self) -> None:
        if self.alive:
            self.alive = False
            self._world.keep(self._handlers["disconnect"]())

    def _left(self, gateway: Gateway) -> None:
        if gateway.sockets.get(self.sid) is self:
            del gateway.sockets[self.sid]
            gateway.endpoint.left(self.sid, self._known)
            self._world.judge(self._known.id)

    async def disconnect(self) -> None:
        if self.alive:
            self.alive = False
            self._world.loop.call_later(self._world.delay(), self._left, self._world.gateway)
        await asyncio.sleep(0)


class LinkWorld:
    """Two engines, one gateway, and the network between them; `run` it."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = random.Random(seed)
        self.loop = SimLoop(random.Random(rng.random()))
        self.faults_end = rng.choice(FAULTS_END)
        self.loop.ends_at = self.faults_end + 600
        self.clock = SimClock(self.loop)
        self.token = "first"
        self.numbers = iter(range(10**9))
        self.cuts: set[str] = set()
        self.latest: dict[str, str] = {}
        self.quiet = False
        self.slow = rng.choice([0.01, 0.3, 3.0])
        self.bad = rng.choice([0.0, 0.2, 0.6])
        self._kept: set[asyncio.Future[Any]] = set()
        self.gateway = Gateway(self)

    def run(self) -> None:
        """Live through the faults, then see everything well again."""
        self.loop.live(self._main())
        assert not self.loop.mistakes, self.loop.mistakes

    def delay(self) -> float:
        return 0.01 if self.quiet else self.rng.expovariate(1 / self.slow)

    def lost(self) -> bool:
        return not self.quiet and self.rng.random() < self.bad

    def is_cut(self, sid: str) -> bool:
        return sid in self.cuts

    def keep(self, awaitable: Any) -> None:
        if asyncio.iscoroutine(awaitable):
            task = self.loop.create_task(awaitable)
            self._kept.add(task)
            task.add_done_callback(self._kept.discard)

    def note_join(self, engine_id: str, sid: str) -> None:
        """Take note of the order in which the gateway took links in."""
        self.latest[engine_id] = sid
        self.judge(engine_id)

    def judge(self, engine_id: str) -> None:
        """The link that counts is the one that came last, or none; never an older one."""
        link = self.gateway.presence.find(engine_id)
        if link is not None and engine_id in self.latest:
            assert link.sid == self.latest[engine_id], f"{engine_id} is shown over {link.sid}, an older link"

    async def _main(self) -> None:
        links = {name: self._link(name) for name in ENGINES}
        tasks = [asyncio.create_task(link.run(), name=name) for name, link in links.items()]
        tasks.append(asyncio.create_task(self._report(links)))
        tasks.append(asyncio.create_task(self._look_after()))
        await self._trouble()
        self.quiet, self.gateway.up = True, True
        until = self.loop.now + 200
        while not all(self._is_well(name, link) for name, link in links.items()):
            assert self.loop.now < until, {
                name: (link.state.value, self.gateway.presence.find(name)) for name, link in links.items()
            }
            await asyncio.sleep(1)
        assert not any(task.done() for task in tasks), "an engine gave its gateway up"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(60)
        assert not any(self.gateway.presence.is_online(name) for name in ENGINES), "it is shown after its end"

    def _is_well(self, name: str, link: GatewayLink) -> bool:
        presence = self.gateway.presence
        return (
            link.state is LinkState.CONNECTED
            and presence.is_online(name)
            and self.gateway.announced.get(name) is True
            and not self.is_cut(presence.find(name).sid)  # type: ignore[union-attr]
        )

    async def _report(self, links: dict[str, GatewayLink]) -> None:
        while True:
            await asyncio.sleep(10)
            for name, link in links.items():
                link.report(Vitals(name, 1.0, 2.0, False, self.clock.now_ms()))

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(2)
            self.gateway.steadiness.look()

    async def _trouble(self) -> None:
        rng = self.rng
        while self.loop.now < self.faults_end:
            await asyncio.sleep(rng.uniform(1, 20))
            kind = rng.choice(["cut", "cut", "restart", "down", "token"])
            if kind == "cut" and self.gateway.sockets:
                rng.choice(list(self.gateway.sockets.values())).cut(noticed_here=rng.random() < 0.3)
            elif kind == "restart":
                self.gateway.restart()
                self.latest.clear()
            elif kind == "down":
                self.gateway.up = False
                await asyncio.sleep(rng.uniform(1, 60))
                self.gateway.up = True
            elif kind == "token" and rng.random() < 0.2:
                self.token = "changed"
                await asyncio.sleep(rng.uniform(1, 100))
                self.token = "first"

    def _link(self, engine_id: str) -> GatewayLink:
        link = GatewayLink(
            LinkTarget("http://gateway", 20.0),
            Introduction(engine_id, "first", "", lambda: _ready(engine_id)),
            owner=SimpleNamespace(meet_owner=_nothing, claim=_nothing),
            take_guests=_nothing,
            clock=self.clock,
        )
        link.report(Vitals(engine_id, 1.0, 2.0, False, 0))
        return link


def simulate(seed: int, monkeypatch: Any) -> None:
    """Run one seed."""
    world = LinkWorld(seed)
    client = SimpleNamespace(AsyncClient=lambda **_options: SimSocket(world), exceptions=socketio.exceptions)
    monkeypatch.setattr(session_module, "socketio", client)
    http = SimpleNamespace(ClientSession=lambda **_options: _NoHttp(), DummyCookieJar=lambda: None)
    monkeypatch.setattr(link_module, "aiohttp", http)
    monkeypatch.setattr(link_module, "random", SimpleNamespace(random=world.rng.random))
    world.run()


class _NoHttp:
    """A gateway whose lists cannot be fetched: the link lives without them."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close nothing."""

    def get(self, *_: Any, **__: Any) -> Any:
        raise OSError("no route")


def _ready(engine_id: str) -> dict[str, Any]:
    return {"engine_id": engine_id, "internal_api_url": "http://127.0.0.1:8989", "capabilities": ["workflow"]}


def _ignore(*_: Any) -> None:
    pass


async def _nothing(*_: Any) -> None:
    pass
