"""The engine's side: sends steps to worker processes and follows what becomes of them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from core_engine.kernel.payload import Payload
from core_engine.storage.claims import ClaimNews, Claims, Offer
from core_engine.workers.broker import Broker, Hint, queue_name
from core_engine.workers.following import Follow, step_name, trace_of
from core_engine.workers.placement import place_of
from core_engine.workers.tickets import TICKET_SECONDS, Seals, Ticket
from core_engine.workers.wire import CRASHED, outcome_of, request_of, tell
from core_engine.workflow.executor import InProcess, StepLost
from core_engine.workflow.graph import Node
from core_engine.workflow.steps import Attempt, Host, Outcome, StepContext
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

Found = TypeVar("Found")
_TRY_AGAIN = 1.0
_AT_ONCE = 500
_UNCLAIMED_WARNING = 30.0
_LOSSES = {
    "silent": "The worker that ran this step is silent",
    CRASHED: "The process of this step ended without a result",
    "drained": "The worker that ran this step was stopped",
}
_LOG = logging.getLogger(__name__)


class WorkerExecutor:
    """Carries out what can leave the engine in worker processes, and the rest in this process.

    A step is offered as a claim in the database first; then a ticket is sent. Whatever happens to tickets,
    `send_again` sends those that nobody took. The owner of this object keeps `look`, `send` and the sweeps going.
    """

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        claims: Claims,
        broker: Broker,
        seals: Seals,
        clock: Clock,
        *,
        engine_id: str,
        epoch: int,
        lease_seconds: float,
        resend_seconds: float,
        traced: bool = False,
    ) -> None:
        self.claims = claims
        self.follows: dict[str, Follow] = {}
        self.broker = broker
        self._seals = seals
        self.clock = clock
        self._engine_id = engine_id
        self._epoch = epoch
        self._lease_seconds = lease_seconds
        self._resend_seconds = resend_seconds
        self._traced = traced
        self._local = InProcess()
        self._dirty: set[str] = set()
        self._changed = asyncio.Event()
        self._unsent: dict[str, None] = {}
        self._to_send = asyncio.Event()
        self._adopting: list[Follow] = []
        self._owed: set[str] = set()
        self._owed_steps: set[str] = set()
        self._leaving = False

    def sends(self, host: Host, node: Node) -> bool:
        """Tell whether the node's steps go to workers."""
        return place_of(node, host.state.graph.flow.settings) is not None

    def launch(
        self, host: Host, attempt: Attempt, context: StepContext, config: Any, payload: Payload
    ) -> None:
        """Offer a step to the workers, or start it here."""
        place = place_of(attempt.node, host.state.graph.flow.settings)
        component = attempt.node.component
        if place is None:
            self._local.launch(host, attempt, context, config, payload)
            return
        follow = Follow(secrets.token_hex(16), host, attempt, context, place, self.clock.monotonic())
        offer: Offer | FloworkError
        if component.refusal is not None:
            offer = FloworkError(ErrorCode.FORBIDDEN, component.refusal)
        else:
            offer = Offer(
                follow.id,
                context.run_id,
                context.node_id,
                context.attempt,
                step_name(host, context),
                host.env.epoch,
                *place,
                self._lease_seconds,
                self._seals.seal(request_of(context, component.id, payload), follow.id, "request"),
            )
        self._begin(follow, offer)

    def regains(self, host: Host, attempt: Attempt, context: StepContext) -> bool:
        """Follow a step on that an earlier process of this engine sent to workers, or find out that it is lost."""
        place = place_of(attempt.node, host.state.graph.flow.settings)
        if place is None:
            return False
        follow = Follow("", host, attempt, context, place, self.clock.monotonic())
        self._begin(follow, step_name(host, context))
        return True

    async def open(self) -> None:
        """Begin to hear and to send; written by `WorkersOffice`."""
        raise NotImplementedError

    async def close(self) -> None:
        """End; written by `WorkersOffice`."""
        raise NotImplementedError

    def outlives(self, attempt: Attempt) -> bool:
        """Tell whether a step goes on at a worker when this process ends, also one that is still to be found there."""
        offered = (follow for follow in self.follows.values() if follow.offered)
        return self._leaving and any(follow.attempt is attempt for follow in (*offered, *self._adopting))

    def leave(self) -> None:
        """Let workers go on with what they have from now on, because this process ends and another follows."""
        self._leaving = True

    def look_at(self, claims: Collection[str]) -> None:
        """Have these claims looked at, because something may have happened to them.

        One that is only just being offered is left out: to be asked for too early looks like being gone.
        """
        follows = self.follows
        self._dirty.update(claim for claim in claims if claim in follows and follows[claim].offered)
        if self._dirty:
            self._changed.set()

    async def look(self) -> None:
        """Wait until something may have happened, and take it over; raises ENGINE_UNAVAILABLE and forgets nothing."""
        await self._changed.wait()
        self._changed.clear()
        while self._dirty:
            asked = [self._dirty.pop() for _ in range(min(_AT_ONCE, len(self._dirty)))]
            try:
                # in this order: what is there when a claim has ended, it told before its end
                news = await self.claims.news(asked)
                told = await self.claims.events(
                    {claim: self.follows[claim].told for claim in asked if claim in self.follows}
                )
            except FloworkError:
                self.look_at(asked)
                raise
            for claim in asked:
                follow = self.follows.get(claim)
                if follow:
                    self._take_over(follow, news.get(claim), told.get(claim, []))

    async def send(self) -> None:
        """Wait until there are tickets to send, and send them; what could not be sent is left to `send_again`."""
        await self._to_send.wait()
        self._to_send.clear()
        while self._unsent:
            claims = list(self._unsent)[:_AT_ONCE]
            for claim in claims:
                del self._unsent[claim]
            wanted = [self.follows[claim] for claim in claims if claim in self.follows]
            now = self.clock.monotonic()
            for follow in wanted:
                follow.sent_at = now  # nobody sends it again while it is on its way
            sent = await asyncio.to_thread(self.broker.send, [self._hint(follow) for follow in wanted])
            for follow in wanted[len(sent) :]:
                follow.sent_at = None
            if len(sent) < len(wanted):
                return

    async def send_again(self) -> None:
        """Send the tickets of steps that nobody has taken: never sent, lost on the way, or with a worker that died.

        While tickets wait in a queue, its workers are busy and nothing is lost; more tickets would only fill it.
        """
        now = self.clock.monotonic()
        silent = [
            follow for follow in self.follows.values() if follow.silent_since(now, self._resend_seconds)
        ]
        if not silent:
            return
        queues = {self._queue(follow) for follow in silent}
        waiting = await asyncio.to_thread(self.broker.waiting, queues)
        for follow in silent:
            if waiting.get(self._queue(follow)) == 0:
                self._unsent[follow.id] = None
            if not follow.warned and now - follow.since > _UNCLAIMED_WARNING:
                follow.warned = True
                follow.context.log(_nobody(follow, reachable=bool(waiting)), "WARN")
        if self._unsent:
            self._to_send.set()

    async def withdraw_owed(self) -> None:
        """Withdraw what could not be withdrawn when it should."""
        if owed := list(self._owed):
            await self.claims.withdraw(owed)
            self._owed.difference_update(owed)
        if steps := list(self._owed_steps):
            await self.claims.withdraw_steps(steps, self._epoch)
            self._owed_steps.difference_update(steps)

    async def tidy(self, *, alone: bool) -> None:
        """Delete claims that nobody needs any more; ``alone`` where the engine has no other process."""
        await self.claims.tidy(self._epoch, list(self.follows))
        if alone and not self._adopting:
            await self.claims.forget_others(self._epoch)

    def figures(self) -> dict[str, int]:
        """Return how many steps wait for a worker, and how many run in one."""
        running = sum(follow.began for follow in self.follows.values())
        return {"waiting": len(self.follows) - running, "running": running}

    def _begin(self, follow: Follow, offer: Offer | FloworkError | str) -> None:
        name = f"step {follow.context.run_id} {follow.context.node_id} at a worker"
        task: asyncio.Task[Any] = follow.host.env.loop.create_task(self._await_end(follow, offer), name=name)
        follow.attempt.task = task
        task.add_done_callback(lambda done: follow.host.step_returned(follow.attempt, _outcome(done)))

    async def _await_end(self, follow: Follow, offer: Offer | FloworkError | str) -> Outcome:
        """Return how a step ended; when this is cancelled, the step is withdrawn wherever it is.

        ``offer`` is what is to be offered, or the name of a step that was offered by an earlier process.
        """
        if isinstance(offer, FloworkError):
            return offer
        try:
            await (self._adopt(follow, offer) if isinstance(offer, str) else self._offer(follow, offer))
            outcome: Outcome = await follow.ended
        except asyncio.CancelledError:
            if not self._leaving:
                await self._withdraw(follow, offer)
            raise
        finally:
            self.follows.pop(follow.id, None)
        return outcome

    async def _offer(self, follow: Follow, offer: Offer) -> None:
        self.follows[follow.id] = follow
        await self._insist(follow, lambda: self.claims.offer(offer))
        follow.offered = True
        self._unsent[follow.id] = None
        self._to_send.set()

    async def _adopt(self, follow: Follow, step: str) -> None:
        self._adopting.append(follow)
        try:
            claim = await self._insist(follow, lambda: self.claims.adopt(step, self._epoch))
        finally:
            self._adopting.remove(follow)
        if claim is None:
            follow.settle(StepLost("The engine ended while this step ran", crash=True))
            return
        follow.id = claim
        follow.offered = True
        self.follows[claim] = follow
        self.look_at([claim])

    async def _insist(self, follow: Follow, call: Callable[[], Awaitable[Found]]) -> Found:
        """Call until the database is there."""
        while True:
            try:
                return await call()
            except FloworkError as error:
                facts = {"run": follow.context.run_id, "reason": error.message}
                _LOG.warning("a step waits for the database", extra=facts)
                await asyncio.sleep(_TRY_AGAIN)

    async def _withdraw(self, follow: Follow, offer: Offer | FloworkError | str) -> None:
        """Take a step back, by its name where its claim is still being looked for; `withdraw_owed` insists on it."""
        if follow.offered:
            self._owed.add(follow.id)
        elif isinstance(offer, str):
            self._owed_steps.add(offer)
        else:
            return
        with contextlib.suppress(FloworkError):
            await self.withdraw_owed()

    def _take_over(self, follow: Follow, news: ClaimNews | None, told: list[tuple[int, bytes]]) -> None:
        for number, body in told:
            follow.told = number
            try:
                tell(follow.context, self._seals.open(body, follow.id, "event"))
            except FloworkError as error:
                _LOG.warning("something a step told is dropped", extra={"reason": error.message})
        if news is None:
            follow.settle(StepLost("The claim of this step is gone from the database", crash=True))
        elif news.state == "LOST":
            what = _LOSSES.get(news.note, _LOSSES["silent"])
            follow.settle(StepLost(what, crash=news.note != "drained"))
        elif news.state == "DONE":
            follow.settle(self._result(follow, news))
        elif news.state == "LEASED" and not follow.began:
            follow.began = True
            follow.host.step_began(follow.attempt)
        elif news.state == "READY" and news.note and not follow.warned:
            follow.warned = True
            follow.context.log(f"This step waits: a worker of another version ({news.note}) left it.", "WARN")

    def _result(self, follow: Follow, news: ClaimNews) -> Outcome:
        try:
            return outcome_of(self._seals.open(news.result or b"", follow.id, "result"))
        except FloworkError as error:
            return error

    def _hint(self, follow: Follow) -> Hint:
        expires = self.clock.now_ms() // 1000 + TICKET_SECONDS
        context = follow.context
        trace = trace_of(follow) if self._traced else ""
        ticket = Ticket(follow.id, context.run_id, context.node_id, context.attempt, expires, trace)
        return Hint(follow.id, self._queue(follow), self._seals.sign(ticket))

    def _queue(self, follow: Follow) -> str:
        return queue_name(self._engine_id, *follow.place)


def _nobody(follow: Follow, *, reachable: bool) -> str:
    if not reachable:
        return "This step waits: the message broker (Redis) does not answer."
    label = f" with the label {follow.place.label}" if follow.place.label else ""
    return f"This step waits for a worker of the queue {follow.place.queue}{label}; none has taken it yet."


def _outcome(task: asyncio.Task[Any]) -> Outcome:
    if task.cancelled():
        return FloworkError(ErrorCode.COMPONENT_FAILED, "The step was cancelled.")
    return task.exception() or task.result()
