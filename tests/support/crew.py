"""A crew: real worker processes that also carry out the small components of tests, and the desk these call."""

from __future__ import annotations

import asyncio
import pickle
import struct
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from typing_extensions import override

from core_engine.kernel.component import Component, Execution
from core_engine.kernel.payload import Payload
from core_engine.settings import EngineSettings
from core_engine.storage import EngineStore
from core_engine.workers.office import WorkersOffice
from shared.clock import SystemClock
from shared.errors import ErrorCode, FloworkError
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.workers import SECRET, Worker, worker

HEAD = struct.Struct(">I")
DESK = "FLOWORK_TEST_DESK"
PROCESSES = 4
Key = tuple[str, str, int, int, int]


class Call(NamedTuple):
    """A step of a test's component, sent by the worker's process that has it to the desk in the test's process."""

    values: Any
    payload: Payload
    facts: dict[str, Any]

    @property
    def key(self) -> Key:
        facts = self.facts
        return (
            facts["run_id"],
            facts["node_id"],
            facts["iteration"],
            facts["round"],
            facts["attempt"],
        )


@dataclass
class Desk:
    """Carries out the steps that workers bring to it, with the very components that the test looks at.

    A worker whose step was taken from it dies, its call ends, and what the component does is cancelled.
    """

    path: str
    components: dict[Key, Component[Any]] = field(default_factory=dict)
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(16, thread_name_prefix="step-")
    )

    served: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Desk]:
        Path(self.path).unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._begin, self.path)
        try:
            yield self
        finally:
            server.close()
            for task in self.served:
                task.cancel()
            await asyncio.gather(*self.served, return_exceptions=True)
            self.threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self.served.add(task)
        task.add_done_callback(self.served.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            (size,) = HEAD.unpack(await reader.readexactly(HEAD.size))
            call = Call(*pickle.loads(await reader.readexactly(size)))
            work = asyncio.ensure_future(self._carry_out(call, partial(_send, writer)))
            gone = asyncio.ensure_future(reader.read(1))
            try:
                await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                gone.cancel()
                work.cancel()
                await asyncio.gather(work, gone, return_exceptions=True)
            await writer.drain()

    async def _carry_out(self, call: Call, send: Callable[..., None]) -> None:
        try:
            component = self.components[call.key]
            result = await self._result(component, call, send)
        except FloworkError as error:
            send("refuse", error.code.value, error.message, error.details)
        except Exception as error:  # noqa: BLE001 - whatever it is, the worker is told
            send("raise", error)
        else:
            send("return", result)

    async def _result(self, component: Component[Any], call: Call, send: Callable[..., None]) -> Any:
        loop = asyncio.get_running_loop()
        slow = type(component).execution is Execution.THREAD
        context: Any = _context(call.facts, partial(loop.call_soon_threadsafe, send) if slow else send)
        config = component.parse_config(call.values)
        if slow:
            return await loop.run_in_executor(self.threads, component.call, context, config, call.payload)
        result = component.call(context, config, call.payload)
        return await result if asyncio.iscoroutine(result) else result


def _context(facts: dict[str, Any], send: Callable[..., None]) -> SimpleNamespace:
    def passed_on(name: str) -> Callable[..., None]:
        return lambda *args, **more: send(name, args, more)

    calls = {name: passed_on(name) for name in ("log", "popup", "spend")}
    spent = facts["spent"]
    return SimpleNamespace(**{**facts, **calls, "spent": lambda: spent})


def _send(writer: asyncio.StreamWriter, *what: Any) -> None:
    try:
        body = pickle.dumps(what)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        body = pickle.dumps(("raise", TypeError(f"a test's result cannot be sent: {error}")))
    if not writer.is_closing():
        writer.write(HEAD.pack(len(body)) + body)


class CrewOffice(WorkersOffice):
    """The product's own executor, which also tells the desk whose steps it sends, and opens itself when needed."""

    def __init__(self, settings: EngineSettings, store: EngineStore, desk: Desk) -> None:
        super().__init__(settings, store, SystemClock(), _fail)
        self._desk = desk
        self._opening: asyncio.Task[None] | None = None

    @override
    def launch(self, host: Any, attempt: Any, context: Any, config: Any, payload: Any) -> None:
        self._expect(context, attempt)
        super().launch(host, attempt, context, config, payload)

    @override
    def regains(self, host: Any, attempt: Any, context: Any) -> bool:
        self._expect(context, attempt)
        return super().regains(host, attempt, context)

    @override
    async def open(self) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(super().open())
        await asyncio.shield(self._opening)

    @override
    async def close(self) -> None:
        if self._opening is not None:
            await self._opening
        await super().close()

    @override
    async def _await_end(self, follow: Any, offer: Any) -> Any:
        await self.open()
        return await super()._await_end(follow, offer)

    def _expect(self, context: Any, attempt: Any) -> None:
        key = (context.run_id, context.node_id, context.iteration, context.round, context.attempt)
        self._desk.components[key] = attempt.node.component


def _fail(error: FloworkError) -> None:
    raise FloworkError(ErrorCode.INTERNAL, "The test's executor failed.") from error


@dataclass
class Crew:
    """Workers of one engine id and where they meet their engines; one test after the other has them."""

    worker: Worker
    environment: dict[str, str]
    desk: str
    postgres: PostgresServer

    def forget(self) -> None:
        """Withdraw every step: what still runs of a test that is over ends within a moment."""
        with self.postgres.connect() as link:
            link.execute("DELETE FROM step_claim")


@contextmanager
def crew(engine_id: str, postgres: PostgresServer, redis: RedisServer) -> Iterator[Crew]:
    """Start workers that know the components of tests as well as the shipped ones."""
    with tempfile.TemporaryDirectory(prefix="flowork-crew-") as folder:
        desk = f"{folder}/desk"
        environment = {
            "FLOWORK_ENGINE_ID": engine_id,
            "FLOWORK_DATA_DIR": folder,
            "GATEWAY_URL": "",
            "ENGINE_STEPS": "workers",
            "ENGINE_WORKER_SECRET": SECRET,
            "ENGINE_REDIS_URL": redis.url,
            "DATABASE_URL": postgres.url,
            "ENGINE_WORKER_LEASE_SECONDS": "10",
            "ENGINE_WORKER_RESEND_SECONDS": "3",
            "ENGINE_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        own = {DESK: desk, "ENGINE_WORKER_PROCESSES": str(PROCESSES)}
        with worker(Path(folder), environment, module="tests.support.crew_worker", **own) as made:
            made.wait_until_ready()
            yield Crew(made, environment, desk, postgres)
