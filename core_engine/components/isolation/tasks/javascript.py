"""Runs a person's JavaScript in QuickJS: ``function run(payload, log)`` or a top-level ``result``.

The engine's bare module is used: the package around it starts a thread, which would stay outside the walls.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import _quickjs

_STACK_BYTES = 512 * 1024
_MOST_JOBS = 1_000_000
_BEFORE = """
globalThis.payload = JSON.parse(__payload); globalThis.args = JSON.parse(__args);
(() => {
  const write = __log, text = (value) => {
    if (typeof value === "string") return value;
    try { const made = JSON.stringify(value); return made === undefined ? String(value) : made; }
    catch { return String(value); }
  };
  const line = (level) => (...parts) => { write(level, parts.map(text).join(" ")); };
  globalThis.console = {
    log: line("INFO"), info: line("INFO"), debug: line("DEBUG"), warn: line("WARN"), error: line("ERROR"),
  };
  globalThis.log = (message, level) => { write(String(level ?? "INFO"), text(message)); };
  for (const name of ["__payload", "__args", "__log"]) delete globalThis[name];
})();
"""
_AFTER = """
(() => {
  const answer = {};
  const give = (value) => { answer.value = JSON.stringify(value === undefined ? payload : value) ?? "null"; };
  const fail = (error) => { answer.error = String(error) + (error && error.stack ? "\\n" + error.stack : ""); };
  globalThis.__answer = (name) => answer[name];
  (async () => typeof run === "function" ? await run(payload, log)
    : await (typeof result === "undefined" ? undefined : result))().then(give).catch(fail);
})();
"""


def run(request: dict[str, Any], log: Callable[..., None]) -> Any:
    """Execute ``code`` with ``payload``, ``args``, ``log`` and ``console`` in sight; return what it gives back."""
    context = _quickjs.Context()
    context.set_memory_limit(request["memory_bytes"])
    context.set_max_stack_size(_STACK_BYTES)
    context.set("__payload", json.dumps(request["payload"]))
    context.set("__args", json.dumps(request["args"]))
    context.add_callable("__log", lambda level, message: log(message, level))
    try:
        context.eval(_BEFORE)
        context.eval(request["code"])
        context.eval(_AFTER)
        for _ in range(_MOST_JOBS):
            if not context.execute_pending_job():
                break
        answer = context.get("__answer")
        problem, value = answer("error"), answer("value")
    except _quickjs.JSException as error:
        problem, value = str(error), None
    if problem is not None:
        raise MemoryError if _is_memory(problem) else ValueError(_short(problem))
    if value is None:
        raise ValueError("run() waits for something that never comes")
    return json.loads(value)


def explain(error: BaseException) -> str:
    """Return what went wrong and on which line of the person's code."""
    return str(error)


def _is_memory(text: str) -> bool:
    return "out of memory" in text.partition("\n")[0]


def _short(text: str) -> str:
    return " ".join(part.strip() for part in text.splitlines()[:2]).replace("<input>", "<your code>")
