"""The Engine.IO server below the namespaces: no request waits for its client, and none that is wrong is our mistake."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import engineio
from engineio import payload
from typing_extensions import override

MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)
"""What packets that are none make their readers raise."""


class EngineServer(engineio.Server):  # type: ignore[misc] # python-engineio has no types
    """Ends connections without waiting until the other side has fetched what was still to be sent.

    The library waits for that without a bound. Whoever polls, sends something wrong and never polls again would hold
    a thread for ever.
    """

    @override
    def disconnect(self, sid: str | None = None) -> None:
        """Close a connection, all of them without an id; what it was sent before goes out if it is still there."""
        for name in [sid] if sid is not None else list(self.sockets):
            with suppress(KeyError):  # it is closed or gone
                self._get_socket(name).close(wait=False, reason=self.reason.SERVER_DISCONNECT)
            self.sockets.pop(name, None)

    @override
    def handle_request(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request; one for a connection that has just ended as one for a connection that never was."""
        sid = parse_qs(environ.get("QUERY_STRING", "")).get("sid", [None])[0]
        if sid in self.sockets and environ["REQUEST_METHOD"] == "POST" and not self._is_readable(environ):
            self.disconnect(sid)
            return _refuse(start_response, b'"Malformed packets"')
        try:
            answer: Iterable[bytes] = super().handle_request(environ, start_response)
        except KeyError:
            if sid is None or sid in self.sockets:
                raise
            return _refuse(start_response, b'"Invalid session"')
        return answer

    def _is_readable(self, environ: dict[str, Any]) -> bool:
        """Tell whether what is posted is packets. The library would log the mistake as its own, and answer OK."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal():
            return False
        if int(length) > self.max_http_buffer_size:
            return True  # the library refuses it by its length
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            return bool(payload.Payload(encoded_payload=body.decode()).packets)
        except MALFORMED:
            return False


def _refuse(start_response: Callable[..., Any], text: bytes) -> Iterable[bytes]:
    start_response("400 BAD REQUEST", [("Content-Type", "application/json")])
    return [text]
