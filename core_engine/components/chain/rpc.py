"""A node of an EVM chain, asked by JSON-RPC over connections that the engine's network rules allow."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from pydantic import Field
from yarl import URL

from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Config
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

_MOST_BYTES = 16 * 1024 * 1024
_LONGEST_CALL = 30.0
_LONGEST_TEXT = 500


class ChainConfig(Config):
    """Which chain, and by which node."""

    rpc_url: str = Field(
        min_length=1, max_length=2000, title="Node",
        description=(
            "Address of a node's JSON-RPC. One in your own network has to be allowed by the engine's owner"
            " (ENGINE_HTTP_PRIVATE_NETWORKS)."
        ),
        json_schema_extra=form(placeholder="{{ vars.RPC_URL }}"),
    )  # fmt: skip
    chain_id: int | None = Field(
        None, ge=1, le=2**53, title="Chain id",
        description="The number of the chain the node must be on, for example 1 or 137; empty does not check.",
    )  # fmt: skip
    timeout_seconds: float = Field(
        60.0, gt=0, le=3600, description="Longest time the whole step may take, in seconds."
    )


class RpcError(FloworkError):
    """The node refused a call; ``details`` hold its ``code``, ``message`` and ``data``."""

    def __init__(self, method: str, error: Any) -> None:
        told = error if isinstance(error, dict) else {}
        text = str(told.get("message", "no reason"))[:_LONGEST_TEXT].rstrip(".")
        details = {"code": told.get("code"), "message": text, "data": told.get("data")}
        super().__init__(ErrorCode.COMPONENT_FAILED, f"The node refused {method}: {text}.", details=details)
        self.text = text


@asynccontextmanager
async def open_node(
    config: ChainConfig, network: NetworkPolicy, *, bounded: bool = True
) -> AsyncIterator[Node]:
    """Connect to the settings' node for the time of a step, its chain checked.

    Ends with DEADLINE_EXCEEDED when the step takes too long, unless it keeps its time itself.
    """
    connector = aiohttp.TCPConnector(
        socket_factory=network.open_socket,
        happy_eyeballs_delay=None,  # one address after the other: a refused one ends the request
        use_dns_cache=False,
        limit=2,
    )
    timeout = aiohttp.ClientTimeout(total=_LONGEST_CALL)
    session = aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )
    try:
        async with asyncio.timeout(config.timeout_seconds if bounded else None), session:
            node = Node(_checked_url(config.rpc_url), session)
            if config.chain_id is not None:
                await node.check_chain(config.chain_id)
            yield node
    except TimeoutError:
        raise too_slow(config.timeout_seconds) from None


class Node:
    """One node. Made by `open_node`."""

    def __init__(self, url: URL, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def call(self, method: str, *params: Any) -> Any:
        """Return the result. Raises RpcError, or FloworkError FORBIDDEN, TOO_LARGE, COMPONENT_FAILED."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            async with self._session.post(
                self._url,
                data=msgspec.json.encode(request),
                headers={"Content-Type": "application/json", "User-Agent": "Flowork"},
                allow_redirects=False,
            ) as response:
                answer = _parsed(await _read(response), response.status)
        except TimeoutError:
            raise _failed(f"The node did not answer {method} within {_LONGEST_CALL:g} s.") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _failed(f"The node cannot be reached: {type(error).__name__}: {error}.") from error
        if answer.get("error") is not None:
            raise RpcError(method, answer["error"])
        return answer.get("result")

    async def number(self, method: str, *params: Any) -> int:
        """Return a result that is a number."""
        return quantity(await self.call(method, *params))

    async def check_chain(self, wanted: int) -> None:
        """Raise FORBIDDEN when the node is on another chain."""
        chain = await self.number("eth_chainId")
        if chain != wanted:
            raise FloworkError(ErrorCode.FORBIDDEN, f"The node is on chain {chain}, not on {wanted}.")


def too_slow(seconds: float) -> FloworkError:
    """Return the error of a step that takes too long."""
    return FloworkError(ErrorCode.DEADLINE_EXCEEDED, f"The chain step took longer than {seconds:g} s.")


async def load_codec() -> None:
    """Have `abi` imported off the event loop, because that takes a while the first time."""
    await asyncio.to_thread(importlib.import_module, "core_engine.components.chain.abi")


def quantity(value: Any) -> int:
    """Read a number as JSON-RPC spells it; raises COMPONENT_FAILED."""
    if isinstance(value, str) and value.startswith("0x") and len(value) <= 66:
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise _failed(f"The node answered {str(value)[:80]!r} where a number belongs.")


def raw_bytes(value: Any) -> bytes:
    """Read bytes as JSON-RPC spells them; raises COMPONENT_FAILED."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise _failed(f"The node answered {str(value)[:80]!r} where bytes belong.")


def shown_int(value: int) -> int | str:
    """Return a number as data: as text where JSON readers would lose digits."""
    return value if abs(value) < 2**53 else str(value)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > _MOST_BYTES:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The node answers more than {_MOST_BYTES >> 20} MiB.")
    return bytes(content)


def _parsed(content: bytes, status: int) -> dict[str, Any]:
    try:
        check_depth(content, MAX_DEPTH)
        answer = msgspec.json.decode(content)
    except (FloworkError, msgspec.DecodeError, UnicodeError):
        answer = None
    if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
        raise _failed(f"The node answered {status} and nothing that is JSON-RPC.")
    return answer


def _checked_url(text: str) -> URL:
    try:
        url = URL(text.strip())
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The node's address is not valid: {error}.") from error
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.password:
        message = (
            "The node's address starts with https:// or http:// and names a host, without user and password."
        )
        raise FloworkError(ErrorCode.INVALID_REQUEST, message)
    return url


def _failed(message: str) -> FloworkError:
    return FloworkError(ErrorCode.COMPONENT_FAILED, message)
