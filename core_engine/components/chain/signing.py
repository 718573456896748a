"""The engine's side of the signer: a child process that lives for one step and gets the key over a pipe."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from shared.errors import ErrorCode, FloworkError

_PROGRAM = Path(__file__).with_name("signer.py")
_LONGEST_ANSWER = 60.0
_LONGEST_LINE = 4 * 1024 * 1024


class Signer:
    """One key in one child. Made by `open_signer`; ``address`` is the key's."""

    def __init__(self, child: asyncio.subprocess.Process, address: str) -> None:
        self._child = child
        self.address = address

    async def sign(self, transaction: dict[str, Any]) -> tuple[str, str]:
        """Return the signed transaction and its hash; can be asked once. Raises COMPONENT_FAILED."""
        answer = await _ask(self._child, {"transaction": transaction})
        return str(answer["raw"]), str(answer["hash"])


@asynccontextmanager
async def open_signer(private_key: str) -> AsyncIterator[Signer]:
    """Start a signer; raises FloworkError INVALID_REQUEST for a key that is none."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-B", str(_PROGRAM),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env={}, cwd="/", limit=_LONGEST_LINE,
    )  # fmt: skip
    try:
        try:
            hello = await _ask(child, {"key": private_key.strip()})
        except FloworkError as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, error.message) from error
        yield Signer(child, str(hello["address"]))
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _ask(child: asyncio.subprocess.Process, request: dict[str, Any]) -> dict[str, Any]:
    if child.stdin is None or child.stdout is None:
        raise TypeError("the signer is started with pipes")
    try:
        async with asyncio.timeout(_LONGEST_ANSWER):
            child.stdin.write(json.dumps(request).encode() + b"\n")
            await child.stdin.drain()
            line = await child.stdout.readline()
        answer = json.loads(line)
    except (TimeoutError, ValueError, OSError) as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, "The signer ended without an answer.") from error
    if "error" in answer:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"Nothing was signed: {answer['error']}.")
    return answer  # type: ignore[no-any-return]
