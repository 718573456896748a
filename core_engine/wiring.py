"""Makes parts of the engine from its settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core_engine.access.control import AccessControl, AccessPolicy
from core_engine.commands.command import Rooms
from core_engine.commands.dispatch import Dispatcher
from core_engine.components.files import RootedFiles
from core_engine.components.registry import ComponentRegistry
from core_engine.documents import Documents, signing_key
from core_engine.fronts.courier import Courier
from core_engine.fronts.desk import DeskDoor, FrontDesk
from core_engine.fronts.front import Front, FrontServer
from core_engine.fronts.link import LeaderLink
from core_engine.fronts.remote import Desk
from core_engine.fronts.sealing import LinkKey
from core_engine.gateway_link.relay import Relay
from core_engine.http.status import StatusSource
from core_engine.kernel.meters import Meter
from core_engine.settings import EngineSettings, Identity
from core_engine.storage import EngineStore
from core_engine.telemetry.gauges import Sources
from core_engine.telemetry.metrics import Metrics
from core_engine.telemetry.run_log import log_ends
from core_engine.telemetry.traces import Traces
from core_engine.transport.origin import OriginRule
from core_engine.transport.peer import PeerLimits
from core_engine.transport.server import Door, SocketServer
from core_engine.triggers import TriggerService
from core_engine.triggers.secret import RuleSecrets
from core_engine.workflow import RunService
from shared.clock import Clock
from shared.contract.base import Role
from shared.errors import FloworkError
from shared.otlp import Collector
from shared.settings import reveal
from shared.signing.envelope import EnvelopeVerifier
from shared.signing.replay import ReplayWindow, UncheckedReplays
from shared.signing.standing import StandingDelegations

if TYPE_CHECKING:
    from core_engine.workers.office import WorkersOffice


def open_access(identity: Identity, store: EngineStore, clock: Clock) -> AccessControl:
    """Return who may do what; `AccessControl.load` comes before its use."""
    policy = AccessPolicy(
        engine_id=identity.engine_id,
        owner_address=identity.owner_address,
        claim_code=reveal(identity.claim_code),
        trust=identity.gateway_trust,
    )
    return AccessControl(policy, store, clock)


def open_sockets(  # noqa: PLR0913 - what they are wired with
    settings: EngineSettings,
    dispatcher: Dispatcher,
    access: AccessControl,
    clock: Clock,
    *,
    rooms: Rooms,
    store: EngineStore,
    front: Front | None,
) -> SocketServer | FrontDesk:
    """Return the raw WebSocket server, or what takes its place behind fronts; nothing is listened on yet."""
    if front is None:
        return SocketServer(
            door_of(settings), bounds_of(settings), dispatcher=dispatcher, access=access, clock=clock
        )
    fronts, limits = settings.fronts, settings.limits
    door = DeskDoor(
        host=fronts.host,
        port=fronts.port,
        address=fronts.address,
        key=LinkKey(signing_key(settings), settings.identity.engine_id),
        max_message_bytes=limits.max_message_bytes,
        max_clients=limits.max_connections,
        silence_seconds=settings.shared.lease_seconds,
    )
    desk = Desk(dispatcher, rooms.runs, access, rooms.company, limits.outbox_bytes)
    return FrontDesk(door, desk, store, front)


def open_front(settings: EngineSettings, store: EngineStore, meter: Meter, clock: Clock) -> Front:
    """Return what takes clients for the process that leads; nothing is listened on yet."""
    envelopes = open_envelopes(settings, UncheckedReplays())
    courier = Courier(envelopes, meter, clock, settings.fronts.hold_seconds)
    key = LinkKey(signing_key(settings), settings.identity.engine_id)
    link = LeaderLink(store, key, courier, settings.shared.lease_seconds)
    return Front(FrontServer(door_of(settings), bounds_of(settings), courier, clock), courier, link)


def door_of(settings: EngineSettings) -> Door:
    """Return where the raw WebSocket listens, and whom it lets in."""
    listen, limits = settings.listen, settings.limits
    return Door(
        host=listen.socket_host,
        port=listen.socket_port,
        engine_id=settings.identity.engine_id,
        origins=_origins(settings),
        max_connections=limits.max_connections,
    )


def bounds_of(settings: EngineSettings) -> PeerLimits:
    """Return the bounds on one connection of the raw WebSocket."""
    limits = settings.limits
    return PeerLimits(
        max_message_bytes=limits.max_message_bytes,
        messages_per_second=limits.messages_per_second,
        outbox_bytes=limits.outbox_bytes,
        auth_deadline_seconds=limits.auth_deadline_seconds,
    )


def open_workers(
    settings: EngineSettings, store: EngineStore, clock: Clock, fail: Callable[[FloworkError], None]
) -> WorkersOffice | None:
    """Return what carries steps out in worker processes; None where the engine does all of them itself."""
    if settings.workers.steps == "engine":
        return None
    from core_engine.workers.office import WorkersOffice  # noqa: PLC0415 - Celery is heavy, only where used

    return WorkersOffice(settings, store, clock, fail)


def open_envelopes(settings: EngineSettings, window: ReplayWindow) -> EnvelopeVerifier:
    """Return what opens signed messages, of wallets and of the session keys that they let act from our pages."""
    engine_id = settings.identity.engine_id
    sessions = StandingDelegations(_origins(settings).has_page, engine_id=engine_id)
    return EnvelopeVerifier(engine_id, settings.limits.envelope, window, sessions=sessions)


def _origins(settings: EngineSettings) -> OriginRule:
    return OriginRule(settings.listen.allowed_origins.split(","), settings.link.gateway_url)


def open_triggers(  # noqa: PLR0913 - what they are wired with
    store: EngineStore,
    registry: ComponentRegistry,
    runs: RunService,
    documents: Documents,
    files: RootedFiles,
    *,
    role_of: Callable[[str], Role | None],
    clock: Clock,
) -> TriggerService:
    """Return what starts saved workflows by itself; it is loaded and started later."""
    return TriggerService(
        store,
        registry,
        runs,
        documents.presets,
        RuleSecrets(documents.cipher, documents.variables),
        files=files,
        role_of=role_of,
        clock=clock,
    )


def open_traces(settings: EngineSettings, runs: RunService, version: str) -> Traces | None:
    """Return what makes traces of the runs, where the settings name a collector."""
    telemetry = settings.telemetry
    if not telemetry.collector:
        return None
    collector = Collector.of(telemetry.collector, reveal(telemetry.collector_headers))
    traces = Traces(collector, settings.identity.engine_id, version)
    runs.on_records(traces.see)
    return traces


def observe(  # noqa: PLR0913, PLR0917 - what is looked at
    metrics: Metrics,
    status: StatusSource,
    runs: RunService,
    relay: Relay,
    triggers: TriggerService,
    workers: WorkersOffice | None,
    folder: Path,
) -> None:
    """Have the engine's work counted and its state shown at each scrape."""
    runs.on_records(metrics.counts.see)
    runs.on_records(log_ends)
    metrics.observe(
        Sources(
            status=status,
            parked_runs=lambda: runs.parked_runs,
            running_steps=lambda: runs.running_steps,
            pages=lambda: relay.pages,
            queues=lambda: runs.queues.items(),  # noqa: PLW0108 - the figures of that moment
            triggers=triggers.figures,
            folder=folder,
            tasks=lambda: len(asyncio.all_tasks()),
            workers=lambda: workers.figures().items() if workers else (),
        )
    )
