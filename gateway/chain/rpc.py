"""A node of an EVM chain, asked by JSON-RPC.

Not through web3: importing that brings eth_account and with it code that holds keys, which no server process loads.
The few calls that billing needs are small enough to be read here in full.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

SECONDS = 10.0
MOST_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 20


class Node:
    """One node; every call is a connection of its own that may take ``seconds``."""

    def __init__(self, url: str, seconds: float = SECONDS) -> None:
        self._url = urlsplit(url)
        self._seconds = seconds

    def call(self, method: str, *params: Any) -> Any:
        """Return the result; raises ENGINE_UNAVAILABLE where the node does not give one."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            status, content = self._post(json.dumps(request).encode())
        except (OSError, http.client.HTTPException) as error:
            raise unavailable(f"The chain's node cannot be reached ({type(error).__name__}).") from error
        answer = _parsed(content)
        if answer is None or ("result" not in answer and "error" not in answer):
            raise unavailable(f"The chain's node answered {status} and nothing that is JSON-RPC.")
        if answer.get("error") is not None:
            raise unavailable(f"The chain's node refused {method}.")
        return answer.get("result")

    def number(self, method: str, *params: Any) -> int:
        """Return a result that is a number."""
        return quantity(self.call(method, *params))

    def _post(self, body: bytes) -> tuple[int, bytes]:
        url = self._url
        connection = _connect(url, self._seconds)
        try:
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            headers = {"Content-Type": "application/json", "User-Agent": "Flowork"}
            connection.request("POST", path, body, headers)
            # Closed by itself as well: it keeps the socket when it is not read to its end.
            with connection.getresponse() as response:
                content = _read(response, time.monotonic() + self._seconds)
        finally:
            connection.close()
        if len(content) > MOST_BYTES:
            raise unavailable(f"The chain's node answers more than {MOST_BYTES >> 20} MiB.")
        return response.status, content


def unavailable(message: str) -> FloworkError:
    """Return the error of a node that cannot be used at the moment."""
    return FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message, retry_after=15)


def quantity(value: Any) -> int:
    """Read a number as JSON-RPC spells it; raises ENGINE_UNAVAILABLE."""
    if isinstance(value, str) and value.startswith("0x") and 2 < len(value) <= 66:
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise unavailable("The chain's node answered something else where a number belongs.")


def _connect(url: SplitResult, seconds: float) -> http.client.HTTPConnection:
    host = url.hostname or ""
    if url.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, url.port, timeout=seconds, context=context)
    return http.client.HTTPConnection(host, url.port, timeout=seconds)


def _read(response: http.client.HTTPResponse, until: float) -> bytes:
    """Read an answer in pieces, because each piece has the whole time-out again."""
    pieces, size = [], 0
    while size <= MOST_BYTES and (piece := response.read1(65536)):
        if time.monotonic() > until:
            raise TimeoutError
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _parsed(content: bytes) -> dict[str, Any] | None:
    try:
        check_depth(content, MAX_DEPTH)
        answer = json.loads(content)
    except (FloworkError, ValueError):
        return None
    return answer if isinstance(answer, dict) else None
