"""Runs a person's Python: ``def run(payload, log)`` or a top-level ``result``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this module is loaded anew in each child, so it loads little
    from collections.abc import Callable

    Log = Callable[..., None]

FILE_NAME = "<your code>"


def run(request: dict[str, Any], log: Log) -> Any:
    """Execute ``code`` with ``payload``, ``args`` and ``log`` in sight; return what it gives back.

    Without a result the payload goes on, as the code left it.
    """
    payload = request["payload"]
    scope: dict[str, Any] = {
        "__name__": "flowork_function", "payload": payload, "args": request["args"], "log": log,
    }  # fmt: skip
    # running a person's code is what this process is for; it is locked and serves one request
    exec(compile(request["code"], FILE_NAME, "exec"), scope)  # noqa: S102
    function = scope.get("run")
    value = _call(function, scope) if callable(function) else scope.get("result")
    return payload if value is None else value


def explain(error: BaseException) -> str:
    """Return what went wrong and on which line of the person's code."""
    name = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE_NAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"line {line}: {name}" if line else name


def _call(function: Callable[..., Any], scope: dict[str, Any]) -> Any:
    names = ("payload", "log", "args")
    code = getattr(function, "__code__", None)
    wanted = code.co_varnames[: code.co_argcount] if code is not None else names[:2]
    if not set(wanted) <= set(names):  # own names: by position
        wanted = names[: len(wanted)]
    value = function(*(scope[name] for name in wanted))
    return _finish(value) if hasattr(value, "__await__") else value


def _finish(value: Any) -> Any:
    import asyncio  # noqa: PLC0415 - takes longer to load than everything else here, and few need it

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())
