"""Runs a component of the published shape (protocol §6.4): made, told its settings, asked once, let go."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # this module is loaded anew in each child, so it loads little
    from collections.abc import Callable, Mapping

    Log = Callable[..., None]

_OURS = "core_engine"
_LEVELS = {"debug": "DEBUG", "info": "INFO", "success": "SUCCESS", "warn": "WARN", "warning": "WARN"}
_QUESTIONS = ("get_data_preview", "get_dynamic_ports", "get_dynamic_output_schema", "get_webhook_path")


class RefusedError(Exception):
    """The component's own ``validate`` does not accept its settings."""


class LogLines:
    """The services ``logger``, ``kernel`` and ``event_bus``: whatever is said through them is a line of the log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, message: Any, level: Any = "INFO", *_: Any, **__: Any) -> None:
        """Write a line."""
        self._log(message, str(level).upper())

    write_to_log = log = __call__

    def publish(self, name: Any, data: Any = None, *_: Any, **__: Any) -> None:
        """Say that an event was published; isolated code reaches nobody else."""
        self._log(f"Event {name}: {json.dumps(data, default=str)[:1000]}", "DEBUG")

    def subscribe(self, *_: Any, **__: Any) -> None:
        """Accept a subscription; one call of a component never lives to hear of another."""

    def __getattr__(self, name: str) -> Log:
        if name.startswith("_"):
            raise AttributeError(name)
        level = _LEVELS.get(name.lower(), "ERROR")
        return lambda message, *args, **_: self._log(_filled(message, args), level)


class Words:
    """The service ``loc``: texts of the component's own ``locales``."""

    def __init__(self, folder: Path) -> None:
        self._words: dict[str, Any] = {}
        file = folder / "locales" / "en.json"
        if file.is_file():
            self._words = json.loads(file.read_text("utf-8"))

    def get(self, key: str, fallback: str | None = None, **values: Any) -> str:
        """Return a text with its values filled in; an unknown key is its own text."""
        text = self._words.get(key, fallback if fallback is not None else key)
        return str(text).format(**values) if values else str(text)


def prepare() -> None:
    """Have loaded what is only needed later; once the process is locked, our own folder may be out of reach."""
    importlib.import_module("asyncio")


def run(request: dict[str, Any], log: Log) -> Any:
    """Make the component and call ``method`` of it; return ``{"value": …}``, or ``{}`` where it has no such method."""
    folder = Path(request["folder"])
    for name in [name for name in sys.modules if name.partition(".")[0] == _OURS]:
        del sys.modules[name]  # the component finds its own packages, and none of ours
    sys.path[:0] = [str(folder), str(folder / "vendor"), *request["paths"]]
    made = _class(folder, request)(request["component_id"], _services(folder, request, log))
    _call_if_there(made, "on_load")
    try:
        if request["method"] == "execute":
            return {"value": _execute(made, request, log)}
        return _ask(made, request)
    finally:
        _call_if_there(made, "on_unload")


def explain(error: BaseException) -> str:
    """Return what went wrong, and on which line of the component's own files."""
    if isinstance(error, RefusedError):
        return f"it does not accept its settings: {error}"
    name = f"{type(error).__name__}: {error}"
    place, trace, ours = "", error.__traceback__, str(Path(__file__).parents[1])
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(("<", ours)):
            place = place if _is_library(file) else f"{Path(file).name} line {trace.tb_lineno}: "
        trace = trace.tb_next
    return f"{place}{name}"


def _is_library(file: str) -> bool:
    return "site-packages" in file or file.startswith(str(Path(json.__file__).parents[1]))


def _class(folder: Path, request: Mapping[str, Any]) -> Any:
    file, name = request["file"], request["class"]
    if file is None:
        return getattr(importlib.import_module(request["module"]), name)
    module_name = Path(file).stem
    spec = importlib.util.spec_from_file_location(module_name, folder / file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    sys.path.insert(0, str((folder / file).parent))
    spec.loader.exec_module(module)
    return getattr(module, name)


def _services(folder: Path, request: Mapping[str, Any], log: Log) -> dict[str, Any]:
    lines = LogLines(log)
    return {
        "logger": lines, "kernel": lines, "event_bus": lines, "loc": Words(folder),
        "variables": dict(request["variables"]),
    }  # fmt: skip


def _execute(made: Any, request: Mapping[str, Any], log: Log) -> Any:
    config = dict(request["config"])
    if hasattr(made, "validate"):
        verdict = _finish(_called(made.validate, (config, request["connected_ports"]), {}))
        good, text = verdict if isinstance(verdict, tuple | list) else (verdict, "")
        if good is False:
            raise RefusedError(text)

    def status_updater(message: Any = "", level: Any = "INFO", *_: Any, **__: Any) -> None:
        log(message, str(level).upper())

    more = {"mode": request["mode"], **request["step"]}
    return _finish(_called(made.execute, (request["payload"], config, status_updater), more))


def _ask(made: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    method = getattr(made, request["method"], None) if request["method"] in _QUESTIONS else None
    if method is None:
        return {}
    return {"value": _finish(_called(method, (dict(request["config"]),), {}))}


def _called(function: Callable[..., Any], args: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Call with as much as the function takes."""
    parameters = inspect.signature(function).parameters.values()
    kinds = [item.kind for item in parameters]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        places = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        by_place = [item.name for item in parameters if item.kind in places]
        args = args[: len(by_place)]
        named = {name: value for name, value in named.items() if name not in by_place[: len(args)]}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        names = {item.name for item in parameters}
        named = {name: value for name, value in named.items() if name in names}
    return function(*args, **named)


def _call_if_there(made: Any, name: str) -> None:
    method = getattr(made, name, None)
    if method is not None:
        _finish(_called(method, (), {}))


def _finish(value: Any) -> Any:
    if not hasattr(value, "__await__"):
        return value
    import asyncio  # noqa: PLC0415 - loaded in prepare()

    async def wait() -> Any:
        return await value

    return asyncio.run(wait())


def _filled(message: Any, args: tuple[Any, ...]) -> str:
    try:
        return str(message) % args if args else str(message)
    except (TypeError, ValueError):
        return str(message)
