"""Puts the engine together from its settings, holds it while it runs, and takes it apart in order."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from typing import Any

from core_engine.access.invitation import claim_line
from core_engine.access.replays import ReplayJournal
from core_engine.access.share_links import ShareLinks
from core_engine.access.watch import AccessWatch
from core_engine.commands.command import Rooms, handlers
from core_engine.commands.dispatch import Dispatcher, Guards
from core_engine.components.dropin.installer import Installer
from core_engine.components.dropin.policy import InstallPolicy
from core_engine.components.dropin.watching import keep_fresh
from core_engine.components.isolation.rungs import rung_in_force
from core_engine.components.registry import open_registry
from core_engine.documents import open_documents
from core_engine.followups import FollowUps
from core_engine.gateway_link.introduction import Introduction
from core_engine.gateway_link.kill_switch import KillSwitch
from core_engine.gateway_link.link import GatewayLink, LinkState, LinkTarget
from core_engine.gateway_link.relay import Relay
from core_engine.gateway_link.requests import LinkRequests
from core_engine.gateway_link.vitals import Pulse, Vitals
from core_engine.housekeeping import Housekeeping
from core_engine.http.server import InternalApi
from core_engine.http.status import EngineStatus
from core_engine.http.watchdog import LoopWatchdog
from core_engine.http.webhooks import WebhookRoutes
from core_engine.kernel.version import own_version
from core_engine.rest.opening import open_rest
from core_engine.rest.router import RestApi
from core_engine.settings import EngineSettings
from core_engine.standby import Standby, StandbyEndedError
from core_engine.storage import EngineStore
from core_engine.storage.opening import open_store
from core_engine.telemetry.traces import Traces
from core_engine.transport.address import Address, AddressFile, reachable
from core_engine.triggers.alarms import Raised
from core_engine.triggers.results import RunResults
from core_engine.triggers.webhook import WaitDesk, WebhookDesk
from core_engine.turn import Turn, await_turn
from core_engine.wiring import (
    observe,
    open_access,
    open_envelopes,
    open_sockets,
    open_traces,
    open_triggers,
    open_workers,
)  # fmt: skip
from core_engine.workflow import RunService
from core_engine.workflow.retention import KeepLimits, Retention
from shared.clock import Clock, SystemClock
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal
from shared.signing.replay import ReplayWindow
from shared.software import require_sound_software

_log = logging.getLogger(__name__)

LAST_SECONDS = 1.5
CAPABILITIES = ["workflow"]
_PORTS = "Set ENGINE_SOCKET_PORT, ENGINE_HTTP_PORT and, with fronts, ENGINE_FRONTS_PORT (0 picks one)."
_NO_ENGINE_ID = (
    "FLOWORK_ENGINE_ID is not set. Register an engine at the gateway and set FLOWORK_ENGINE_ID and "
    "FLOWORK_ENGINE_TOKEN to what it answers, or start everything with `flowork up`."
)


async def serve(settings: EngineSettings, stop: asyncio.Event) -> None:
    """Run an engine until the event is set; raises FloworkError where it cannot start or its disk fails."""
    try:
        async with running(settings, stop=stop) as engine:
            await stop.wait()
            _log.info("engine stopping")
    except StandbyEndedError:
        return
    if engine.failure is not None:
        raise engine.failure


@asynccontextmanager
async def running(
    settings: EngineSettings, *, stop: asyncio.Event | None = None, clock: Clock | None = None
) -> AsyncIterator[Engine]:
    """Start an engine and yield it; after leaving, it has ended and everything is on the disk.

    ``stop`` is set when the engine cannot go on by itself. Where another process works for the same engine, this one
    waits for its turn first; raises StandbyEndedError when ``stop`` is set meanwhile.
    """
    if not settings.identity.engine_id:
        raise FloworkError(ErrorCode.CONFIGURATION, _NO_ENGINE_ID)
    require_sound_software()
    stop = stop or asyncio.Event()
    async with AsyncExitStack() as stack:
        try:
            store = open_store(settings)
            stack.callback(store.close)
            standby, clock = Standby(store), clock or SystemClock()
            turn = await await_turn(settings, store, standby, stop, clock=clock, stack=stack)
            engine = Engine(settings, store, stop, clock, turn)
        except OSError as error:
            problem = f"The data folder {settings.data.data_dir} cannot be used: {error.strerror or error}."
            raise FloworkError(ErrorCode.CONFIGURATION, problem) from error
        stack.push_async_callback(engine.close)
        await engine.start()
        standby.tell(engine.runs.take_over, engine.fail)
        yield engine


class Engine:
    """The parts of one engine, wired together. `start` it, `close` it."""

    def __init__(
        self, settings: EngineSettings, store: EngineStore, stop: asyncio.Event, clock: Clock, turn: Turn
    ) -> None:
        self._settings = settings
        self._store = store
        self._stop = stop
        self._clock = clock
        self._started = clock.monotonic()
        self._isolation = "unknown"
        self._metrics = turn.metrics
        self._tasks: list[asyncio.Task[None]] = []
        self.failure: FloworkError | None = None
        self.access = open_access(settings.identity, store, clock)
        self.registry, self._files = open_registry(settings, store, clock)
        pin = self.registry.shelf.pin
        self._documents = documents = open_documents(
            settings, store, self._files, clock=clock, owner=lambda: self.access.owner, pin=pin
        )
        self._installer = self._build_installer()
        self._workers = open_workers(settings, store, clock, self.fail)
        self.runs = self._build_runs()
        self._followups = FollowUps(self.runs, documents.presets, documents.preferences)
        self.triggers = open_triggers(
            store, self.registry, self.runs, documents, self._files, role_of=self.access.role_of, clock=clock
        )
        self.rooms = Rooms(
            self.runs,
            self.registry,
            documents.presets,
            documents.variables,
            documents.preferences,
            documents.folders,
            documents.pins,
            self.triggers,
            self._installer,
            documents.company,
        )
        keep = settings.keep
        retention = Retention(store, clock, KeepLimits(keep.days, keep.runs, keep.megabytes))
        self._housekeeping = Housekeeping(store, retention, clock)
        self._window = ReplayWindow()
        self._replays = ReplayJournal(store)
        self._dispatcher = self._build_dispatcher()
        self.sockets = open_sockets(
            settings, self._dispatcher, self.access, clock, rooms=self.rooms, store=store, front=turn.front
        )
        self.rest = self._build_rest()
        self.http = self._build_http()
        self.relay = self._build_relay()
        self.kill_switch = KillSwitch(store, self.registry.switch_off)
        self.link = self._build_link()
        self._traces = self._observe()
        self._pulse = self._build_pulse()
        self._address = AddressFile(settings.data.engine_dir)
        self._watchdog = LoopWatchdog(clock)
        self._watch = AccessWatch(self.sockets.enforce_access, self.relay.enforce_access)
        self.access.subscribe(self._watch.enforce)
        self.triggers.alarms.listen(self._tell_alarm)

    async def start(self) -> None:
        """Take up the unfinished runs, then listen; raises CONFIGURATION where that is impossible."""
        self._address.remove()
        self._watchdog.start()
        await self.access.load()
        self.kill_switch.load()
        self._replays.restore(self._window, self._clock.now_ms())
        self._isolation = await asyncio.to_thread(rung_in_force)
        self._followups.start()
        self.triggers.load(self.registry.outlet)
        self.runs.on_end(self.triggers)
        recovered = await self.runs.recover()
        await self.triggers.start()
        await self._listen()
        self._address.write(self.address)
        self._begin_background()
        owner = self.access.owner or "not pinned yet"
        facts = {"owner": owner, "recovered_runs": recovered, "isolation": self._isolation}
        _log.info("engine ready", extra=asdict(self.address) | facts)
        if line := claim_line(self._settings.identity, self.access.owner):
            print(line, flush=True)  # noqa: T201 - for the person who starts it; the log masks it

    async def close(self) -> None:
        """Stop accepting, give running steps their grace, close all connections; the rest goes on at the next start."""
        self.sockets.stop_accepting()
        self._address.withdraw(os.getpid())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._installer.close()
        await self.relay.close()
        self.rooms.company.close()
        await self.triggers.close()
        await self._followups.close()
        await self.runs.close(self._settings.limits.shutdown_grace_seconds)
        try:
            async with asyncio.timeout(LAST_SECONDS):
                await asyncio.gather(self.sockets.stop(), self.http.stop(), self.registry.close())
        except TimeoutError:
            _log.warning("some connections did not end in time")
        await self._dispatcher.close()
        self._watchdog.stop()

    @property
    def address(self) -> Address:
        """Where the engine listens."""
        listen = self._settings.listen
        return Address(
            socket=f"ws://{reachable(listen.socket_host, self.sockets.port)}",
            http=f"http://{reachable(listen.http_host, self.http.port)}",
            engine_id=self._settings.identity.engine_id,
            pid=os.getpid(),
        )

    def status(self) -> EngineStatus:
        """Return a snapshot of the engine."""
        return EngineStatus(
            engine_id=self._settings.identity.engine_id,
            version=own_version(),
            owner_pinned=self.access.owner is not None,
            owner=self.access.owner,
            link=self.link.state if self.link else LinkState.OFF,
            busy=self.runs.busy,
            open_runs=self.runs.open_runs,
            connections=self.sockets.connections,
            isolation=self._isolation,
            uptime_seconds=self._clock.monotonic() - self._started,
        )

    async def _listen(self) -> None:
        try:
            await self.sockets.start()
            await self.http.start()
        except OSError as error:
            text = f"Cannot listen: {error.strerror or error}. {_PORTS}"
            raise FloworkError(ErrorCode.CONFIGURATION, text) from error

    def _begin_background(self) -> None:
        work = {"pulse": self._pulse.run(), "housekeeping": self._housekeeping.run()}
        work["access"] = self._watch.run()
        work |= {"components folder": keep_fresh(self.registry.shelf), "tidying up": self.registry.tidy_up()}
        if self.link is not None:
            work["gateway link"] = self.link.run()
        else:
            _log.warning("running without a gateway: GATEWAY_URL or FLOWORK_ENGINE_TOKEN is not set")
        if self._traces is not None:
            work["traces"] = self._traces.send()
        self._tasks += [asyncio.create_task(coroutine, name=name) for name, coroutine in work.items()]
        for task in self._tasks:
            task.add_done_callback(self._note_end)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """End the engine, in order, where one of its endless tasks ended by a mistake of ours."""
        if not task.cancelled() and (error := task.exception()):
            _log.critical("the task %s failed", task.get_name(), exc_info=error)
            self.fail(FloworkError(ErrorCode.INTERNAL, f"The engine's task {task.get_name()} failed."))

    def _build_installer(self) -> Installer:
        additions = self._settings.additions
        policy = InstallPolicy.of(additions.policy, additions.trusted, lambda: self.access.owner)
        return Installer(self.registry.shelf, policy, self._clock)

    def _build_runs(self) -> RunService:
        return RunService(
            self._store,
            self.registry,
            self._files,
            self._settings.limits,
            clock=self._clock,
            rng=random.Random(),  # noqa: S311 - the jitter of retries is no secret
            on_fatal=self.fail,
            variables=self._documents.variables,
            secrets=self._documents.variables.secrets,
            presets=self._documents.presets.called,
            write_text=self.registry.write_text,
            executor=self._workers,
        )

    def _build_dispatcher(self) -> Dispatcher:
        guards = Guards(open_envelopes(self._settings, self._window), self._replays, self.access, self._clock)
        return Dispatcher(guards, self.rooms, handlers(), self._metrics.counts)

    def _build_rest(self) -> RestApi:
        return open_rest(
            self.rooms,
            self._store,
            self.registry,
            self.access,
            gateway_access=self._settings.identity.gateway_access,
            clock=self._clock,
            version=own_version(),
        )

    def _build_http(self) -> InternalApi:
        listen, link = self._settings.listen, self._settings.link
        desk = WebhookDesk(self.triggers, RunResults(self._store, self.rooms), self._clock)
        return InternalApi(
            listen.http_host,
            listen.http_port,
            secret=reveal(link.service_secret),
            status=self.status,
            rest=self.rest,
            webhooks=WebhookRoutes(desk, WaitDesk(self.runs)),
            exposition=self._metrics.exposition,
            metrics_token=reveal(link.metrics_token),
        )

    def _observe(self) -> Traces | None:
        folder = self._settings.data.engine_dir
        observe(self._metrics, self.status, self.runs, self.relay, self.triggers, self._workers, folder)
        return open_traces(self._settings, self.runs, own_version())

    def _build_pulse(self) -> Pulse:
        pulse = Pulse(
            self._settings.identity.engine_id,
            self._settings.link.vitals_seconds,
            busy=lambda: self.runs.busy,
            clock=self._clock,
        )
        pulse.subscribe(self._tell_vitals)
        return pulse

    def _build_link(self) -> GatewayLink | None:
        identity, link = self._settings.identity, self._settings.link
        if not link.gateway_url or not reveal(identity.token):
            return None
        return GatewayLink(
            LinkTarget(link.gateway_url.rstrip("/"), link.reconnect_max_seconds),
            Introduction(
                identity.engine_id, reveal(identity.token), reveal(link.service_secret), self._introduce
            ),
            owner=self.access,
            take_guests=self.access.replace_guests,
            clock=self._clock,
            relay=self.relay,
            requests=LinkRequests(self.rest),
            kill_switch=self.kill_switch,
        )

    def _build_relay(self) -> Relay:
        return Relay(
            self._dispatcher,
            self.runs,
            self.access,
            links=ShareLinks(self.access, self._settings.identity.engine_id, self._clock),
            form=self._settings.limits.envelope,
            clock=self._clock,
            memory=self._store,
            meter=self._metrics.counts,
        )

    def _introduce(self) -> dict[str, Any]:
        return {
            "engine_id": self._settings.identity.engine_id,
            "internal_api_url": self.address.http,
            "user_id": self.access.owner,
            "capabilities": CAPABILITIES,
            "version": own_version(),
        }

    def _tell_vitals(self, vitals: Vitals) -> None:
        self.sockets.broadcast((vitals.to_frame(),))
        if self.link is not None:
            self.link.report(vitals)

    def _tell_alarm(self, raised: Raised) -> None:
        """Tell everyone with a role who is connected, and start the preset that the workflow names for alarms."""
        frame = raised.frame
        self.sockets.broadcast((frame,))
        self.relay.broadcast((frame,))
        role = self.access.role_of(raised.rule.owner)
        if role is not None and role >= Role.RUNNER:
            self._followups.trigger_raised(raised)

    def fail(self, error: FloworkError) -> None:
        """End the engine, because it cannot go on."""
        self.failure = self.failure or error
        self._stop.set()
