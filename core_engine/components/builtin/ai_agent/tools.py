"""The tools of an agent. They only read: nothing that a model asks for changes anything."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import msgspec
from yarl import URL

from core_engine.components.ai.model import ToolCall
from core_engine.components.builtin.ai_agent.arithmetic import calculate
from core_engine.components.builtin.http_request.config import HttpConfig
from core_engine.components.builtin.http_request.exchange import Exchange, Target, checked_url
from core_engine.components.isolation.rungs import Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from core_engine.components.whole_files import read_whole
from core_engine.kernel.context import Context
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import FloworkError
from shared.signing.strict_json import check_depth

if TYPE_CHECKING:
    from core_engine.components.builtin.ai_agent.component import AiAgentConfig

_QUERY_BOUNDS = Bounds(10.0, 256)
_LARGEST_FILE_MIB = 1.0
_FETCH_SECONDS = 30.0
_FETCH_KIB = 1024
TOOLS: dict[str, tuple[str, str, str]] = {
    "calculator": ("expression", "Calculates.", "Numbers, brackets and + - * / // % **."),
    "json_query": ("query", "Looks into the data of this step.", "A JMESPath query, @ for all of it."),
    "read_file": ("path", "Reads a text file.", "The file's path."),
    "http_fetch": ("url", "Fetches a web page or an answer of an API with GET.", "The address."),
}
"""Each tool's one argument, what it does, and what the argument is."""


class Toolbox:
    """The tools one step may use, and the data they look into."""

    def __init__(
        self, config: AiAgentConfig, network: NetworkPolicy, sandbox: Sandbox, context: Context, data: Any
    ) -> None:
        self._config = config
        self._network = network
        self._sandbox = sandbox
        self._context = context
        self._data = data
        self._uses = {
            "calculator": self._calculate,
            "json_query": self._query,
            "read_file": self._read,
            "http_fetch": self._fetch,
        }

    def described(self) -> list[dict[str, Any]]:
        """Return the tools as the model is told of them."""
        return [_described(name, *TOOLS[name]) for name in dict.fromkeys(self._config.tools)]

    async def use(self, call: ToolCall) -> tuple[bool, str]:
        """Do what the model asks for; return whether it went well, and the answer or what was wrong."""
        try:
            argument = self._argument(call)
            text = await self._uses[call.name](argument)
        except FloworkError as error:
            return False, f"Error: {error.message}"
        except ValueError as error:
            return False, f"Error: {error}"
        most = self._config.max_tool_characters
        return True, text if len(text) <= most else f"{text[:most]} … (cut off)"

    def _argument(self, call: ToolCall) -> str:
        if call.name not in self._config.tools:
            raise ValueError(f"there is no tool {call.name[:100]!r}")
        name, content = TOOLS[call.name][0], call.arguments.encode("utf-8", "replace")
        try:
            check_depth(content, MAX_DEPTH)
            given = msgspec.json.decode(content)
        except msgspec.DecodeError as error:
            raise ValueError(f"the arguments are no JSON: {error}") from error
        value = given.get(name) if isinstance(given, dict) else None
        if not isinstance(value, str):
            raise ValueError(f"the argument {name} is missing")  # noqa: TRY004 - told to the model like the others
        return value

    async def _calculate(self, expression: str) -> str:
        return calculate(expression)

    async def _query(self, query: str) -> str:
        request = {"query": query, "data": self._data}
        found = await self._sandbox.call(Task.QUERY, request, _QUERY_BOUNDS, self._context.log)
        return json.dumps(found, ensure_ascii=False)

    async def _read(self, path: str) -> str:
        content = await asyncio.to_thread(read_whole, self._context, path, _LARGEST_FILE_MIB)
        return content.decode("utf-8", "replace")

    async def _fetch(self, url: str) -> str:
        hosts = {host.lower() for host in self._config.fetch_hosts}
        host = (URL(url).host or "").lower()
        if "*" not in hosts and host not in hosts:
            raise ValueError(f"the host {host!r} may not be asked")
        # a redirect could lead to a host that may not be asked, so the model is told of it instead
        request = HttpConfig(
            url=url, timeout_seconds=_FETCH_SECONDS, max_response_kib=_FETCH_KIB, follow_redirects=False
        )
        answer = await Exchange(request, self._network, self._context).run(Target(checked_url(url)))
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
        moved = answer.headers.get("location")
        return f"Status {answer.status}{f', moved to {moved}' if moved else ''}\n{body}"


def _described(name: str, argument: str, what: str, meaning: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {argument: {"type": "string", "description": meaning}},
        "required": [argument],
    }
    return {"type": "function", "function": {"name": name, "description": what, "parameters": parameters}}
