"""The client of the gateway's REST interface; every request is signed in the bound form."""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from flowork.client.addresses import is_loopback
from flowork.client.answers import read_json
from flowork.client.claim_link import ClaimLink
from flowork.client.deadline import Deadline
from flowork.client.session import EngineSession
from shared.clock import Clock, SystemClock
from shared.contract import account, engine, system
from shared.contract.base import Auth, Incoming, Operation
from shared.errors import ErrorCode, FloworkError
from shared.signing.claims import claim_proof
from shared.signing.keys import Signer
from shared.signing.rest import sign_headers

API = "/api/v1"
Answer = TypeVar("Answer")
_POLL_SECONDS = 0.2


class Client:
    """Everything an identity can ask of a gateway; a context manager, or call `close`.

    ``gateway_url`` is an origin such as ``http://127.0.0.1:8000``. Every method raises `FloworkError` with the
    server's code; ENGINE_UNAVAILABLE when nothing answers, DEADLINE_EXCEEDED after ``timeout_seconds``.
    """

    def __init__(
        self,
        gateway_url: str,
        identity: Signer,
        *,
        timeout_seconds: float = 15.0,
        clock: Clock | None = None,
    ) -> None:
        self.gateway_url = _origin(gateway_url)
        self.identity = identity
        self._clock = clock or SystemClock()
        self._timeout = timeout_seconds
        self._http = httpx.Client(
            base_url=self.gateway_url, timeout=timeout_seconds, trust_env=not is_loopback(self.gateway_url)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the gateway."""
        self._http.close()

    def health(self) -> system.Health:
        """Return the gateway's health; needs no identity."""
        return self._perform(system.HEALTH, system.Health)

    def profile(self) -> account.Profile:
        """Return the signed-in identity; the gateway registers an address it does not know yet."""
        return self._perform(account.GET_PROFILE, account.Profile)

    def engines(self) -> list[engine.Engine]:
        """Return the caller's engines, by name."""
        return self._perform(engine.LIST_ENGINES, list[engine.Engine])

    def register_engine(self, name: str) -> engine.RegisteredEngine:
        """Register an engine; its token is in the answer and nowhere else afterwards."""
        return self._perform(
            engine.REGISTER_ENGINE, engine.RegisteredEngine, checked(engine.EngineNameBody, name=name)
        )

    def delete_engine(self, engine_id: str) -> engine.Message:
        """Delete an engine of the caller."""
        return self._perform(engine.DELETE_ENGINE, engine.Message, engine_id=engine_id)

    def reset_token(self, engine_id: str) -> engine.EngineToken:
        """Give an engine a new token; the old one stops working."""
        return self._perform(engine.RESET_ENGINE_TOKEN, engine.EngineToken, engine_id=engine_id)

    def rename_engine(self, engine_id: str, name: str) -> engine.Message:
        """Rename an engine of the caller."""
        body = checked(engine.EngineNameBody, name=name)
        return self._perform(engine.UPDATE_ENGINE_NAME, engine.Message, body, engine_id=engine_id)

    def claim(self, link_or_code: str, engine_id: str | None = None) -> engine.ClaimedEngine:
        """Become the owner of an unowned engine by its one-time link, or by the code and the engine's id."""
        code = link_or_code.strip()
        if engine_id is None:
            link = ClaimLink.parse(code)
            code, engine_id = link.code, link.engine_id
        proof = claim_proof(code, self.identity.address, engine_id)
        body = checked(engine.ClaimBody, engine_id=engine_id, proof=proof)
        return self._perform(engine.CLAIM_ENGINE, engine.ClaimedEngine, body)

    def wait_online(self, engine_id: str, timeout_seconds: float = 30.0) -> engine.Engine:
        """Wait until the gateway shows the engine online; raises NOT_FOUND when it is not the caller's."""
        deadline = Deadline(timeout_seconds, f"connection of engine {engine_id} to the gateway")
        while True:
            pause = _POLL_SECONDS
            try:
                found = next((item for item in self.engines() if item.id == engine_id), None)
            except FloworkError as error:
                if not error.meaning.retryable:
                    raise
                pause = error.retry_after or pause
            else:
                if found is None:
                    raise FloworkError(ErrorCode.NOT_FOUND, f"You have no engine {engine_id}.")
                if found.status == "online":
                    return found
            time.sleep(deadline.sooner(pause))

    def engine(
        self, socket_url: str, engine_id: str, *, timeout_seconds: float | None = None
    ) -> EngineSession:
        """Return a session on the engine's raw WebSocket; enter it to connect."""
        seconds = timeout_seconds or self._timeout
        return EngineSession(socket_url, engine_id, self.identity, timeout_seconds=seconds, clock=self._clock)

    def perform(
        self,
        operation: Operation,
        answer: type[Answer],
        body: Incoming | None = None,
        *,
        query: dict[str, str] | None = None,
        **path: str,
    ) -> Answer:
        """Carry out a declared operation and return its answer as the declared model."""
        return self._perform(operation, answer, body, query=query, **path)

    def fetch(self, operation: Operation, **path: str) -> bytes:
        """Carry out a declared operation whose answer is a file, and return its bytes."""
        response = self._request(operation, None, None, path)
        if response.is_success:
            return response.content
        read_json(response, self._clock.now_ms())  # raises what the gateway said
        raise FloworkError(ErrorCode.INTERNAL, f"The gateway answered {operation.name} with no file.")

    def _perform(
        self,
        operation: Operation,
        answer: type[Answer],
        body: Incoming | None = None,
        *,
        query: dict[str, str] | None = None,
        **path: str,
    ) -> Answer:
        value = read_json(self._request(operation, body, query, path), self._clock.now_ms())
        try:
            return TypeAdapter(answer).validate_python(value, extra="ignore")
        except ValidationError as error:
            raise FloworkError(
                ErrorCode.INTERNAL,
                f"The gateway's answer to {operation.name} does not fit the contract: {json.dumps(value)[:200]}",
            ) from error

    def _request(
        self, operation: Operation, body: Incoming | None, query: dict[str, str] | None, path: dict[str, str]
    ) -> httpx.Response:
        target = API + operation.path.format(**{name: quote(value, safe="") for name, value in path.items()})
        target += f"?{urlencode(query)}" if query else ""
        content = body.model_dump_json().encode() if body else b""
        headers = {"Accept": operation.media} | ({"Content-Type": "application/json"} if body else {})
        if operation.auth is Auth.WALLET:
            now = self._clock.now_ms()
            headers |= sign_headers(self.identity, operation.method, target, content, now_ms=now)
        return self._send(operation.method, target, content, headers)

    def _send(self, method: str, target: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        try:
            return self._http.request(method, target, content=content, headers=headers)
        except httpx.TimeoutException as error:
            raise FloworkError(
                ErrorCode.DEADLINE_EXCEEDED,
                f"The gateway at {self.gateway_url} did not answer within {self._timeout:g} seconds.",
            ) from error
        except httpx.TransportError as error:
            raise FloworkError(
                ErrorCode.ENGINE_UNAVAILABLE,
                f"No gateway answers at {self.gateway_url}; start the platform with `flowork up`, or name another "
                f"address with --gateway or GATEWAY_URL ({error}).",
            ) from error


def _origin(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"{url!r} is not a gateway address such as http://127.0.0.1:8000."
        )
    return f"{parts.scheme}://{parts.netloc}"


def checked(model: type[Incoming], **values: Any) -> Incoming:
    """Build a request body; what the server would refuse is refused here with the same code."""
    try:
        return model(**values)
    except ValidationError as error:
        problems = [
            {"field": str(item["loc"][0]), "problem": item["msg"]} for item in error.errors(include_url=False)
        ]
        text = "; ".join(f"{item['field']}: {item['problem']}" for item in problems)
        raise FloworkError(ErrorCode.INVALID_REQUEST, text, details=problems) from error
