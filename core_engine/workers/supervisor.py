"""``python -m core_engine.workers``: starts a worker, sees that it listens, restarts it, and drains it at SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress

import redis

from core_engine.settings import EngineSettings
from core_engine.storage.claims import Claims
from core_engine.storage.claims_connection import KeptConnection, postgres_address
from core_engine.storage.claims_work import ClaimedWork
from core_engine.workers.broker import CANARY, check_redis, connect, make_app, queue_name
from core_engine.workers.consumer import CALL_SECONDS, canary_key
from core_engine.workers.outlook import Outlook
from core_engine.workers.tickets import Seals
from core_engine.workers.wire import speaks
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal
from shared.software import require_sound_software

_LOG = logging.getLogger(__name__)
_LAST_SECONDS = 10.0
_LONGEST_PAUSE = 30.0
_WELL_SECONDS = 60.0
_LOOK_SECONDS = 0.2
_VERSION_SECONDS = 2.0
_START_SECONDS = 120.0
"""How long a worker may take from its start to its first answer."""
_NO_ENGINE_ID = "FLOWORK_ENGINE_ID is not set: a worker must know for which engine it works."


class Supervisor:
    """Owns one Celery process. A worker that hangs is killed: the leases of its steps run out, others take them."""

    def __init__(self, settings: EngineSettings, environ: Mapping[str, str], clock: Clock) -> None:
        """Check the settings; raises CONFIGURATION."""
        require_sound_software()
        workers = settings.workers
        if not settings.identity.engine_id:
            raise FloworkError(ErrorCode.CONFIGURATION, _NO_ENGINE_ID)
        if not workers.broker_url:
            raise FloworkError(ErrorCode.CONFIGURATION, "A worker needs Redis: set REDIS_URL.")
        address = postgres_address(reveal(settings.shared.database_url))
        Seals(reveal(workers.secret), settings.identity.engine_id)
        self.name = f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}"
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._connection = KeptConnection(address, f"flowork worker {self.name}"[:60], CALL_SECONDS)
        self._work = ClaimedWork(self._connection, settings.identity.engine_id, self.name, speaks=speaks())
        self._outlook = Outlook(settings, self.name)
        self._process: asyncio.subprocess.Process | None = None
        self._canary = 0
        self._foreign = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Keep a worker going until the event is set, then drain it.

        Raises CONFLICT where its version is not the engine's, also when the engine is started anew with another.
        """
        await asyncio.to_thread(check_redis, self._settings.workers.broker_url, must_answer=True)
        await self._check_database()
        await self._outlook.open()
        print(f"flowork worker {self.name} starts", flush=True)  # noqa: T201 - for the person who starts it
        stopping = asyncio.create_task(stop.wait(), name="stop of the worker")
        pause = 0.0
        try:
            while not stop.is_set():
                begun = self._clock.monotonic()
                await self._start()
                await self._watch(stopping)
                if stop.is_set() or self._foreign:
                    break
                self._outlook.restarting()
                await self._kill()
                well = self._clock.monotonic() - begun > _WELL_SECONDS
                pause = 0.5 if well else min(max(pause * 2, 0.5), _LONGEST_PAUSE)
                _LOG.error("the worker has ended or hangs; it is started again", extra={"pause": pause})
                await asyncio.wait({stopping}, timeout=pause)
            self._outlook.state = "draining"
            await self._drain()
        finally:
            stopping.cancel()
            await self._kill()
            await self._outlook.close()
            await self._connection.close()
        if self._foreign:
            raise FloworkError(ErrorCode.CONFLICT, self._foreign)

    async def _check_database(self) -> None:
        try:
            await Claims(self._connection, self._settings.identity.engine_id).prepare()
            self._compare(await self._work.spoken())
        except FloworkError as error:
            message = "PostgreSQL does not answer; look at DATABASE_URL."
            raise FloworkError(ErrorCode.CONFIGURATION, message) from error
        if self._foreign:
            raise FloworkError(ErrorCode.CONFLICT, self._foreign)

    def _compare(self, engine: str | None) -> None:
        if engine is not None and engine != speaks():
            self._foreign = f"The engine is {engine}, this worker {speaks()}: both must be the same version."

    async def _start(self) -> None:
        pipe = self._outlook.pipe
        pipes = () if pipe is None else (pipe,)
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "core_engine.workers.consumer", self.name, *map(str, pipes),
            env=dict(self._environ), start_new_session=True, pass_fds=pipes,
        )  # fmt: skip

    async def _watch(self, stopping: asyncio.Task[bool]) -> None:
        """Return when the worker has ended, hangs, is to stop, or is of another version than its engine."""
        assert self._process  # noqa: S101 - it was just started
        ended = asyncio.create_task(self._process.wait(), name="end of the worker")
        hanging = asyncio.create_task(self._until_deaf(), name="canary")
        foreign = asyncio.create_task(self._until_foreign(), name="engine's version")
        try:
            await asyncio.wait({ended, hanging, foreign, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, hanging, foreign):
                task.cancel()
            await asyncio.gather(ended, hanging, foreign, return_exceptions=True)

    async def _until_foreign(self) -> None:
        """Return when the engine was started anew with another version."""
        while not self._foreign:
            await asyncio.sleep(_VERSION_SECONDS)
            with suppress(FloworkError):  # the database is away: the next look tells
                self._compare(await self._work.spoken())
        _LOG.error("%s It takes no more steps.", self._foreign)

    async def _until_deaf(self) -> None:
        """Send the worker trial messages; return when it leaves one unanswered although it has time for it."""
        seconds = self._settings.workers.canary_seconds
        patience = max(seconds, _START_SECONDS)
        while True:
            self._canary += 1
            sent = await asyncio.to_thread(self._send_canary, self._canary)
            if not sent:
                self._outlook.state = "no broker"
            deadline = self._clock.monotonic() + patience
            while sent and not await asyncio.to_thread(self._answered, self._canary):
                if self._clock.monotonic() > deadline:
                    if await self._has_time():
                        return
                    break
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                patience = seconds if sent else patience
                self._outlook.state = "ready" if sent else self._outlook.state
            await asyncio.sleep(seconds / 2)

    async def _has_time(self) -> bool:
        """Tell whether the worker could answer. While all of its processes have a step it cannot, and is well."""
        try:
            busy = await self._work.running() >= self._settings.workers.processes
        except FloworkError:
            return False
        if busy:
            self._outlook.state = "ready"
        return not busy

    def _send_canary(self, number: int) -> bool:
        app = make_app(self._settings.workers.broker_url)
        try:
            queue = queue_name(self._settings.identity.engine_id, "canary", self.name)
            app.send_task(CANARY, args=[number], queue=queue, retry=False, expires=3600)
        except Exception as error:  # noqa: BLE001 - whatever the broker's library raises: not the worker's fault
            _LOG.warning("the message broker does not answer", extra={"reason": type(error).__name__})
            return False
        finally:
            app.close()
        return True

    def _answered(self, number: int) -> bool:
        client = connect(self._settings.workers.broker_url)
        try:
            found = client.get(canary_key(self.name))
            return found is not None and int(found) >= number
        except (redis.RedisError, OSError):
            return True  # Redis is away: that says nothing about the worker
        finally:
            client.close()

    async def _drain(self) -> None:
        """Take no more steps; give those that run their time, then give the rest back for others."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), self._settings.workers.drain_seconds)
            return
        with suppress(FloworkError):
            freed = await self._work.release_all()
            _LOG.warning("steps were given back because the worker stops", extra={"steps": freed})
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _LAST_SECONDS)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
