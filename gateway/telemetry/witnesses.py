"""Stand before the parts of the gateway and count what passes; they change nothing of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Request
from typing_extensions import override

from gateway.realtime.server import Endpoint
from gateway.telemetry.counts import DONE, Counts
from gateway.web.answers import Reply
from gateway.web.proof import Proof
from shared.clock import Clock
from shared.contract.base import Auth
from shared.errors import ErrorCode, FloworkError

BEGUN = "flowork.begun"
_INTERNAL = ErrorCode.INTERNAL.value
_KINDS = {kind: kind.value for kind in Auth}


class CountedEndpoint:
    """A namespace whose connections and events are counted."""

    def __init__(self, endpoint: Endpoint, counts: Counts) -> None:
        self._endpoint = endpoint
        self._counts = counts
        self.namespace = endpoint.namespace

    def accept(self, sid: str, environ: dict[str, Any], auth: Any) -> Any:
        """Judge a connect; see `Endpoint.accept`."""
        outcome = _INTERNAL
        try:
            known = self._endpoint.accept(sid, environ, auth)
            outcome = DONE
        except FloworkError as error:
            outcome = error.code.value
            raise
        finally:
            self._counts.connecting(self.namespace, outcome)
        return known

    def joined(self, sid: str, known: Any) -> None:
        """Take note that the connection stands."""
        self._counts.sockets(self.namespace, 1)
        self._endpoint.joined(sid, known)

    def receive(self, sid: str, known: Any, event: str, args: Sequence[Any]) -> Any:
        """Handle an event; see `Endpoint.receive`."""
        outcome = _INTERNAL
        try:
            answer = self._endpoint.receive(sid, known, event, args)
            outcome = _outcome(answer)
        except FloworkError as error:
            outcome = error.code.value
            raise
        finally:
            self._counts.received(self.namespace, outcome)
        return answer

    def left(self, sid: str, known: Any) -> None:
        """Take note that the connection is gone."""
        self._counts.sockets(self.namespace, -1)
        self._endpoint.left(sid, known)


class TimedProof(Proof):
    """A proof whose checks are timed."""

    def __init__(self, proof: Proof, counts: Counts, clock: Clock) -> None:
        self._proof = proof
        self._counts = counts
        self._clock = clock

    @override
    def check(self, kind: Auth, request: Request, body: bytes, *, scope: str | None = None) -> str | None:
        if kind is Auth.NONE:
            return None
        begun, outcome = self._clock.monotonic(), _INTERNAL
        try:
            caller = self._proof.check(kind, request, body, scope=scope)
            outcome = DONE
        except FloworkError as error:
            outcome = error.code.value
            raise
        finally:
            self._counts.verified(_KINDS[kind], outcome, self._clock.monotonic() - begun)
        return caller


class RequestWatch:
    """Times the HTTP requests of a Flask application."""

    def __init__(self, counts: Counts, clock: Clock) -> None:
        self._counts = counts
        self._clock = clock

    def begin(self, request: Request) -> None:
        """Note when the request came."""
        request.environ[BEGUN] = self._clock.monotonic()

    def end(self, request: Request, answer: Reply) -> None:
        """Count the request with what it is answered."""
        begun = request.environ.get(BEGUN)
        if begun is None:
            return
        operation = request.endpoint or ("none" if answer.status_code == 404 else "page")
        self._counts.requested(operation, answer.status_code, self._clock.monotonic() - begun)


def _outcome(answer: Any) -> str:
    """Return how an event went, as its acknowledgement tells."""
    if isinstance(answer, dict) and answer.get("ok") is False:
        code = str(answer.get("code"))
        return code if code in ErrorCode.__members__.values() else ErrorCode.INTERNAL.value
    return DONE
