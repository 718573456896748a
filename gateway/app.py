"""The gateway as one WSGI application, put together from its parts."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from gateway import resources
from gateway.auth.admins import Admins
from gateway.auth.engine_token import EngineTokens
from gateway.auth.service_key import ServiceKey
from gateway.auth.share_tokens import ShareTokens
from gateway.auth.socket_handshake import SocketHandshake
from gateway.auth.wallet import WalletAuth
from gateway.billing.scheduler import Scheduler
from gateway.billing.service import Billing
from gateway.chain.names import Names
from gateway.chain.rpc import Node
from gateway.chain.wallets import ContractWallets
from gateway.cluster.joint import Joint, in_memory, in_redis
from gateway.context import Context
from gateway.db.database import Database
from gateway.db.replay_keys import ReplayKeys
from gateway.db.socket_sessions import SocketSessions
from gateway.realtime.engine import EngineEndpoint
from gateway.realtime.engine_choice import EngineChoice
from gateway.realtime.engine_links import EngineLinks
from gateway.realtime.gui import GuiEndpoint
from gateway.realtime.gui_channel import GuiChannel
from gateway.realtime.oversize import read_limit
from gateway.realtime.owner_records import OwnerRecords
from gateway.realtime.relay import Relay
from gateway.realtime.seen_log import SeenLog
from gateway.realtime.server import SocketServer
from gateway.realtime.share_visits import ShareVisits
from gateway.realtime.steadiness import Steadiness
from gateway.resources.system import queries
from gateway.settings import GatewaySettings, Identity
from gateway.sweeping import Sweeper
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import Tracing, open_tracing
from gateway.telemetry.witnesses import CountedEndpoint, RequestWatch, TimedProof
from gateway.web.answer_cache import AnswerCache
from gateway.web.front import Front
from gateway.web.hosts import Hosts
from gateway.web.limits import RateLimits
from gateway.web.origins import Origins
from gateway.web.pages import Pages, page_folder
from gateway.web.peers import Peers
from gateway.web.proof import Proof
from gateway.web.routing import find_routes
from gateway.web.site import build_site
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal
from shared.signing.standing import StandingDelegations

HOUR_MS = 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Deps:
    """What a gateway takes from outside: the time, and a database that was migrated."""

    clock: Clock
    database: Database


class GatewayApp:
    """The WSGI application. `close` ends its sockets, which a graceful stop would otherwise wait for."""

    def __init__(
        self,
        front: Front,
        sockets: SocketServer,
        database: Database,
        endings: Iterable[Callable[[], None]],
        scheduler: Scheduler,
    ) -> None:
        self._front = front
        self._sockets = sockets
        self._database = database
        self._endings = tuple(endings)
        self._scheduler = scheduler

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        return self._front(environ, start_response)

    def close_sockets(self) -> None:
        """Close every Socket.IO connection and the background work around them."""
        self._sockets.close()
        self._scheduler.stop()
        for end in self._endings:
            end()

    def close(self) -> None:
        """Close the sockets and the database."""
        self.close_sockets()
        self._database.close()


def create_app(settings: GatewaySettings, deps: Deps) -> GatewayApp:
    """Build the gateway; nothing is listened on yet."""
    database, clock, security = deps.database, deps.clock, settings.security
    origins, hosts, joint = Origins(settings.server), Hosts(settings.server), _joint(settings, clock)
    sockets, presence = _sockets(settings, clock, origins, joint), joint.presence
    gui = GuiChannel(sockets, database, presence)
    sessions = SocketSessions(database, int(security.socket_session_hours * HOUR_MS))
    service_key, tokens = ServiceKey(reveal(security.service_secret)), EngineTokens(database)
    metrics = Metrics(service_key, reveal(security.metrics_token), lambda: queries.is_answering(database))
    counts, peers = metrics.counts, Peers(settings.server.trusted_proxies)
    (contracts, names), choice = _on_chain(settings.identity, clock), EngineChoice(database, presence)
    delegations, keys = StandingDelegations(hosts.has_page), _replay_keys(settings, database, clock)
    handshake = SocketHandshake(sessions, clock, peers, contracts=contracts, delegations=delegations)
    billing, tracing = Billing.open(settings.billing, database, clock), _tracing(settings, clock)
    relay = Relay(
        sockets, choice, ShareVisits(database, clock), joint.pages, clock,
        meter=billing.meter, max_bytes=security.max_body_bytes, relayed=counts.relayed, tracing=tracing,
    )  # fmt: skip
    pages = GuiEndpoint(
        server=sockets, handshake=handshake, gui=gui, relay=relay, database=database, clock=clock
    )
    seen, timeout = SeenLog(database, clock), security.engine_timeout_seconds
    engines = _engines(deps, sockets, joint, gui, relay, tokens, service_key, seen, timeout)
    for endpoint in (pages, engines):
        sockets.attach(CountedEndpoint(endpoint, counts))
    context = Context(
        clock=clock,
        database=database,
        sessions=sessions,
        presence=presence,
        links=EngineLinks(sockets, presence),
        gui=gui,
        answers=AnswerCache(clock),
        share_tokens=ShareTokens.open(settings),
        billing=billing,
        bundled_engine=settings.bundled.engine_id,
        public_url=settings.server.public_url,
        admins=Admins(security.admins),
        names=names,
        tracing=tracing,
    )
    wallets = WalletAuth(keys, clock, security.signatures, sessions=delegations, contracts=contracts)
    site, counted = build_site(
        routes=find_routes(resources, context),
        proof=TimedProof(Proof(wallets, tokens, service_key, peers), counts, clock),
        origins=origins,
        pages=Pages.load(page_folder(settings.server.page)),
        limits=partial(_limits, settings, peers, clock),
        watch=RequestWatch(counts, clock),
        metrics=metrics,
        max_bytes=security.max_body_bytes,
    )
    front = Front(sockets, site.wsgi_app, hosts, counted.arrive)
    endings = (joint.attend(sockets, gui, relay), tracing.close, seen.write)
    return GatewayApp(front, sockets, database, endings, _scheduler(settings, billing, database, clock))


def _engines(  # noqa: PLR0913, PLR0917 - what it is wired with
    deps: Deps,
    sockets: SocketServer,
    joint: Joint,
    gui: GuiChannel,
    relay: Relay,
    tokens: EngineTokens,
    service_key: ServiceKey,
    seen: SeenLog,
    timeout_seconds: float,
) -> EngineEndpoint:
    steadiness = Steadiness(joint.presence, gui.announce_status, deps.clock, timeout_seconds)
    for chore in (steadiness.look, seen.write):
        sockets.look_after(chore)
    return EngineEndpoint(
        server=sockets,
        tokens=tokens,
        service_key=service_key,
        presence=joint.presence,
        gui=gui,
        relay=relay,
        seen=seen,
        owners=OwnerRecords(deps.database, deps.clock),
        steadiness=steadiness,
    )


def _tracing(settings: GatewaySettings, clock: Clock) -> Tracing:
    instance = f"{socket.gethostname()}-{os.getpid()}"
    return open_tracing(settings.telemetry, clock, instance=instance, version=metadata.version("flowork"))


def _scheduler(settings: GatewaySettings, billing: Billing, database: Database, clock: Clock) -> Scheduler:
    by_workers = settings.billing.jobs == "celery"
    jobs = billing.own_jobs() | ({} if by_workers else {"sweep": Sweeper(database, clock).sweep})
    made = Scheduler(jobs, settings.billing.jobs_seconds)
    made.start()
    return made


def _joint(settings: GatewaySettings, clock: Clock) -> Joint:
    url, timeout = settings.storage.shared_redis, settings.security.engine_timeout_seconds
    secret = reveal(settings.security.service_secret)
    return in_redis(url, clock, timeout, secret) if url else in_memory(clock, timeout)


def _on_chain(settings: Identity, clock: Clock) -> tuple[ContractWallets | None, Names]:
    url = reveal(settings.rpc_url)
    if url and urlsplit(url).scheme not in {"http", "https"}:
        raise FloworkError(ErrorCode.CONFIGURATION, "GATEWAY_RPC_URL must begin with http:// or https://.")
    node = Node(url, settings.seconds) if url else None
    contracts = None if node is None else ContractWallets(node, settings.chain_id, clock)
    named = node if settings.ens_registry else None
    return contracts, Names(named, settings.chain_id, settings.ens_registry, clock)


def _limits(settings: GatewaySettings, peers: Peers, clock: Clock, site: Flask) -> RateLimits:
    return RateLimits(site, settings.limits, peers, clock, settings.storage.shared_redis)


def _replay_keys(settings: GatewaySettings, database: Database, clock: Clock) -> ReplayKeys:
    if settings.server.async_mode == "eventlet":
        from gateway.green import apart, lock, signals  # noqa: PLC0415 - one runtime, not both

        return ReplayKeys(database, clock, apart(), signals(), lock)
    return ReplayKeys(database, clock)


def _sockets(settings: GatewaySettings, clock: Clock, origins: Origins, joint: Joint) -> SocketServer:
    mode = settings.server.async_mode
    if mode == "eventlet":
        from gateway.green import parts  # noqa: PLC0415 - one runtime, not both
    else:
        from gateway.threads import parts  # noqa: PLC0415
    return SocketServer(
        async_mode=mode,
        parts=parts(read_limit(settings.security.max_body_bytes)),
        max_bytes=settings.security.max_body_bytes,
        origin_allowed=origins.allows,
        clock=clock,
        manager=joint.manager,
        # Polling asks one process again and again; which one answers is nobody's choice behind a single port.
        transports=("websocket",) if settings.server.workers > 1 else ("polling", "websocket"),
    )
