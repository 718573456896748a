"""The raw WebSocket to an engine as the client uses it: connect, send, receive, each with a deadline."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.sync.client import ClientConnection, connect

from flowork.client.addresses import is_loopback
from flowork.client.deadline import Deadline
from shared.errors import ErrorCode, FloworkError

MAX_FRAME_BYTES = 64 * 1024 * 1024
_OPEN_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_POLICY_VIOLATION = 1008
_TOO_BIG = 1009


class ConnectionLostError(FloworkError):
    """The connection ended or could not be made; connecting again may help."""

    def __init__(self, message: str) -> None:
        super().__init__(ErrorCode.ENGINE_UNAVAILABLE, message)


class EngineSocket:
    """One WebSocket at a time to ``ws://host:port/?engineId=…&frames=batch``; `open` replaces a lost one."""

    def __init__(self, url: str, engine_id: str) -> None:
        self.url = _with_engine(url, engine_id)
        self._distant = not is_loopback(url)
        self._connection: ClientConnection | None = None

    @property
    def server_date(self) -> str:
        """The server's ``Date`` at the handshake, or an empty string."""
        response = self._connection.response if self._connection else None
        return response.headers.get("Date", "") if response else ""

    def open(self, deadline: Deadline) -> None:
        """Connect; raises ConnectionLostError when nothing answers, NOT_FOUND or FORBIDDEN when refused."""
        self.close()
        try:
            self._connection = connect(
                self.url,
                open_timeout=deadline.sooner(_OPEN_SECONDS),
                close_timeout=_CLOSE_SECONDS,
                max_size=MAX_FRAME_BYTES,
                proxy=self._distant or None,
                compression="deflate" if self._distant else None,
                legacy=True,
            )
        except InvalidURI as error:
            raise FloworkError(
                ErrorCode.CONFIGURATION, f"{self.url!r} is not a WebSocket address."
            ) from error
        except InvalidStatus as error:
            status = error.response.status_code
            if status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise ConnectionLostError(
                    f"The engine at {self.url} takes no more connections now."
                ) from error
            raise FloworkError(
                ErrorCode.FORBIDDEN if status == HTTPStatus.FORBIDDEN else ErrorCode.NOT_FOUND,
                f"{self.url} answered {status} instead of opening a WebSocket; is this an engine's address?",
            ) from error
        except (OSError, InvalidHandshake) as error:
            raise ConnectionLostError(f"No engine answers at {self.url} ({error}).") from error

    def send(self, text: str) -> None:
        """Send one frame; raises ConnectionLostError."""
        connection = self._require()
        try:
            connection.send(text)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    def receive(self, seconds: float) -> str | bytes | None:
        """Return the next frame, or None when none came in that time; raises ConnectionLostError."""
        connection = self._require()
        try:
            return connection.recv(timeout=seconds)
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise self._closed(error) from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection:
            try:
                connection.close()
            except (OSError, WebSocketException):
                return

    def _require(self) -> ClientConnection:
        if self._connection is None:
            raise ConnectionLostError("The session is not connected to its engine.")
        return self._connection

    def _closed(self, error: ConnectionClosed) -> FloworkError:
        code, reason = (error.rcvd.code, error.rcvd.reason) if error.rcvd else (0, "")
        if code == _POLICY_VIOLATION and "engineid" in reason.lower():
            return FloworkError(ErrorCode.NOT_FOUND, f"The engine at {self.url} is another one: {reason}.")
        if code == _TOO_BIG:
            return FloworkError(ErrorCode.TOO_LARGE, "The message exceeds the engine's limit.")
        return ConnectionLostError(f"The connection to the engine was lost ({error}).")


def _with_engine(url: str, engine_id: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise FloworkError(
            ErrorCode.CONFIGURATION, f"{url!r} is not an engine's socket address such as ws://127.0.0.1:8765."
        )
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in {"engineId", "frames"}]
    query += [("engineId", engine_id), ("frames", "batch")]
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode(query), ""))
