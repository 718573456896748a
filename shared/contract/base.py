"""What every message of the contract is made of: commands, events, REST operations and their registers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints
from typing_extensions import override

from shared.ids import ADDRESS_PATTERN, ENGINE_ID_PATTERN, JOB_ID_PATTERN

Address = Annotated[str, StringConstraints(pattern=ADDRESS_PATTERN)]
EngineId = Annotated[str, StringConstraints(pattern=ENGINE_ID_PATTERN)]
JobId = Annotated[str, StringConstraints(pattern=JOB_ID_PATTERN)]


class Incoming(BaseModel):
    """Something a client sends: unknown members are ignored, because clients differ."""

    # Built when they are first used: no process uses all of them, and each start would build hundreds.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Outgoing(BaseModel):
    """Something we send: exact, no member that is not declared.

    A member whose wire name is taken by the class itself (``name``) is declared under another one with an alias.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, defer_build=True)


class Role(IntEnum):
    """What an identity may do on an engine; each role includes the ones below it."""

    READER = 1
    RUNNER = 2
    ADMIN = 3
    OWNER = 4


class Audience(Enum):
    """Who receives an event."""

    RUN = "those who follow the run: its starter, and who subscribed and may read it"
    CALLER = "the connection that asked"
    ENGINE = "everyone with a role on the engine"
    PRESET = "those who have the preset open, as `watch_preset` says"


class Command(Incoming):
    """A message a client sends to an engine, by the raw socket or over the relay.

    ``job_id`` may accompany every command (it is echoed in errors); ``request_id`` is ours, chosen by the
    client and echoed in every direct answer, so that answers can be told apart.
    """

    name: ClassVar[str]
    reply: ClassVar[type[Outgoing]]
    role: ClassVar[Role]

    job_id: JobId | None = None
    request_id: str | None = Field(default=None, max_length=80)

    @override
    def __init_subclass__(
        cls, *, name: str = "", reply: type[Outgoing] | None = None, role: Role = Role.OWNER, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if name and reply:
            cls.name, cls.reply, cls.role = name, reply, role
            _register(COMMANDS, name, cls)


class Event(Outgoing):
    """A message an engine sends. ``name`` is its ``type`` on the raw socket, ``relay`` its Socket.IO name."""

    name: ClassVar[str]
    relay: ClassVar[str]
    audience: ClassVar[Audience]

    @override
    def __init_subclass__(
        cls, *, name: str = "", relay: str = "", audience: Audience = Audience.CALLER, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        if name:
            cls.name, cls.relay, cls.audience = name, relay or name, audience
            _register(EVENTS, name, cls)


class Auth(StrEnum):
    """How a REST caller proves who it is."""

    NONE = "none"
    WALLET = "wallet"
    ENGINE = "engine"
    SERVICE = "service"
    MACHINE = "machine"
    """An engine's token, or the service secret."""


class Rate(StrEnum):
    """How often an operation may be called; the gateway's settings hold the numbers."""

    NORMAL = "normal"
    STRICT = "strict"
    """Guessing or abuse would pay here: claims, new tokens, public look-ups."""
    LIGHT = "light"
    """Cheap, public, and called in bunches: icons, health."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST operation of the gateway; ``path`` is relative to ``/api/v1`` and uses ``{name}`` parameters.

    ``body`` is a model of an object, or a `RootModel` where the documented body is something else. ``query`` holds
    the members of the query; ``also`` are further statuses of success, ``failing`` further ones of INTERNAL.
    """

    name: str
    method: str
    path: str
    auth: Auth
    summary: str
    response: Any
    tag: str
    status: int = 200
    body: type[Incoming | RootModel[Any]] | None = None
    errors: tuple[str, ...] = field(default=())
    query: type[Incoming] | None = None
    media: str = "application/json"
    rate: Rate = Rate.NORMAL
    also: tuple[int, ...] = ()
    failing: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Enter the operation in the register; two of one name are a mistake of ours."""
        _register(OPERATIONS, self.name, self)


COMMANDS: dict[str, type[Command]] = {}
EVENTS: dict[str, type[Event]] = {}
OPERATIONS: dict[str, Operation] = {}


def _register(register: dict[str, Any], name: str, item: Any) -> None:
    if name in register:
        raise ValueError(f"the contract declares {name} twice")
    register[name] = item
