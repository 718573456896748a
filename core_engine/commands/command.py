"""How a command is declared: ``@command(Model)`` on a function, found by walking this package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from core_engine.access.share_links import Visit
from core_engine.commands.caller import Caller
from core_engine.company import Company
from core_engine.components.dropin.installer import Installer
from core_engine.components.folders import FolderBrowser
from core_engine.kernel.ports import Frame, Registry, Runs
from core_engine.preferences import PreferenceService
from core_engine.presets import PresetService
from core_engine.presets.pins import PinService
from core_engine.triggers import TriggerService
from core_engine.variables import VariableService
from shared.contract.base import Command, Event, Role
from shared.signing.envelope import OpenedMessage

Answer = Frame | Event | None
CommandT = TypeVar("CommandT", bound=Command)


@dataclass(frozen=True, slots=True)
class Rooms:
    """The parts of the engine that commands work with."""

    runs: Runs
    registry: Registry
    presets: PresetService
    variables: VariableService
    preferences: PreferenceService
    folders: FolderBrowser
    pins: PinService
    triggers: TriggerService
    installer: Installer
    company: Company


@dataclass(slots=True)
class CommandContext:
    """One command being carried out: who asks (lower-case address, verified), on which connection.

    ``opened`` is the signed message the command came in, for handlers that keep its proof. ``visit`` is set for a
    visitor of a share link, who may know of one preset only.

    A handler returns its answer: an event frame or model. Where the answer must stand before what follows it,
    the handler sends it with `answer` and returns None.
    """

    address: str
    role: Role
    caller: Caller
    rooms: Rooms
    request_id: str | None
    opened: OpenedMessage | None = None
    visit: Visit | None = None
    held_runs: list[str] = field(default_factory=list)

    @property
    def traceparent(self) -> str | None:
        """The trace that whoever carried the command says it belongs to."""
        return self.opened.traceparent if self.opened else None

    def hold(self, run_id: str) -> None:
        """Make the run's events wait on this connection until the command is answered."""
        self.caller.follows.hold(run_id)
        self.held_runs.append(run_id)

    def answer(self, answer: Frame | Event) -> None:
        """Send a direct answer, in its place among the events of the run it belongs to."""
        frame = self._frame(answer)
        if self.held_runs:
            self.caller.follows.settle(self.held_runs.pop(), frame)
        else:
            self.caller.deliver((frame,))

    def release(self) -> None:
        """Let held events go: the command is over, answered or not."""
        while self.held_runs:
            self.caller.follows.settle(self.held_runs.pop(), None)

    def _frame(self, answer: Frame | Event) -> Frame:
        frame = answer.model_dump(mode="json") if isinstance(answer, Event) else dict(answer)
        frame.pop("request_id", None)
        if self.request_id is not None:
            frame["request_id"] = self.request_id
        return frame


@dataclass(frozen=True, slots=True)
class CommandHandler(Generic[CommandT]):
    """A command's model and the function that carries it out.

    ``at_once`` tells that it may begin as part of the message's receipt: until it waits for the first time it does
    little, and enters neither a time limit nor a task group.
    """

    model: type[CommandT]
    run: Callable[[CommandContext, CommandT], Awaitable[Answer]]
    at_once: bool = False


def command(
    model: type[CommandT], *, at_once: bool = False
) -> Callable[[Callable[[CommandContext, CommandT], Awaitable[Answer]]], CommandHandler[CommandT]]:
    """Declare the decorated coroutine function as the handler of a command."""

    def declare(run: Callable[[CommandContext, CommandT], Awaitable[Answer]]) -> CommandHandler[CommandT]:
        return CommandHandler(model, run, at_once)

    return declare


def handlers() -> dict[str, CommandHandler[Any]]:
    """Return every handler of this package by its command's ``type``; two for one command are a mistake of ours."""
    found: dict[str, CommandHandler[Any]] = {}
    for handler in _walk():
        if found.setdefault(handler.model.name, handler) is not handler:
            raise ValueError(f"two handlers for {handler.model.name}")
    return found


def _walk() -> Iterator[CommandHandler[Any]]:
    package = importlib.import_module("core_engine.commands")
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        module = importlib.import_module(f"{package.__name__}.{name}")
        yield from (item for item in vars(module).values() if isinstance(item, CommandHandler))
