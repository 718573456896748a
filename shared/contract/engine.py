"""Engines: registration and claim (REST), their presence and vitals (sockets) (protocol §1.2, §3.2-3.3, §4.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.contract.base import Address, Audience, Auth, EngineId, Event, Incoming, Operation, Outgoing, Rate

EngineName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
EngineState = Literal["online", "offline"]


class EngineVitals(
    Event, name="engine_status_update", relay="engine_vitals_update", audience=Audience.ENGINE
):
    """How busy an engine is, sent on the raw socket every 10 s; percentages are 0-100."""

    type: str = "engine_status_update"
    engineId: str  # noqa: N815 - the documented wire name
    isBusy: bool  # noqa: N815 - the documented wire name
    cpuPercent: float  # noqa: N815 - the documented wire name
    memoryPercent: float  # noqa: N815 - the documented wire name


class Engine(Outgoing):
    """An engine of the caller; ``last_seen`` is ISO 8601 in UTC."""

    id: str
    name: str
    status: EngineState
    last_seen: str | None


class RegisteredEngine(Outgoing):
    """A fresh engine. ``raw_token`` is shown this once; the gateway keeps only its hash."""

    id: str
    name: str
    status: EngineState
    raw_token: str


class EngineToken(Outgoing):
    """A fresh token for an engine; the old one stopped working."""

    message: str
    token: str
    engine_id: str


class Message(Outgoing):
    """A plain confirmation."""

    message: str


class EngineNameBody(Incoming):
    """The name of an engine."""

    name: EngineName


class ClaimBody(Incoming):
    """A claim to an unowned engine.

    ``proof`` is the hex HMAC-SHA256, keyed with the claim code, of
    ``flowork_claim|<address in lower case>|<engine id>``; the code itself never travels, so only the engine,
    which knows it, can judge the claim.
    """

    engine_id: EngineId
    proof: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ClaimedEngine(Outgoing):
    """The engine now belongs to the caller."""

    id: str
    name: str
    status: EngineState
    owner: Address


class AuthInfoQuery(Incoming):
    """``grants=1`` asks for the object with grants instead of the documented array."""

    grants: bool = False


class GuestGrant(Outgoing):
    """A grant as the owner signed it; ``exp`` is Unix ms."""

    engine: str
    guest: str
    role: Literal["reader", "runner", "admin"]
    preset: str | None
    epoch: int
    exp: int
    signature: str


class EngineGuests(Outgoing):
    """Who may use the calling engine, with what the owner signed for them."""

    addresses: list[Address]
    grants: list[GuestGrant]


LIST_ENGINES = Operation(
    "list_engines",
    "GET",
    "/user/engines",
    Auth.WALLET,
    "The caller's engines, by name",
    list[Engine],
    "engines",
)
REGISTER_ENGINE = Operation(
    "register_engine", "POST", "/user/engines", Auth.WALLET, "Register an engine", RegisteredEngine, "engines",
    status=201, body=EngineNameBody, errors=("INVALID_REQUEST", "PAYMENT_REQUIRED", "CONFLICT"),
)  # fmt: skip
DELETE_ENGINE = Operation(
    "delete_engine", "DELETE", "/user/engines/{engine_id}", Auth.WALLET, "Delete an engine", Message, "engines",
    errors=("NOT_FOUND",),
)  # fmt: skip
RESET_ENGINE_TOKEN = Operation(
    "reset_engine_token", "POST", "/user/engines/{engine_id}/reset-token", Auth.WALLET,
    "Give an engine a new token; the old one stops working at once", EngineToken, "engines",
    errors=("NOT_FOUND",), rate=Rate.STRICT,
)  # fmt: skip
UPDATE_ENGINE_NAME = Operation(
    "update_engine_name", "PUT", "/user/engines/{engine_id}/update-name", Auth.WALLET, "Rename an engine", Message,
    "engines", body=EngineNameBody, errors=("INVALID_REQUEST", "NOT_FOUND"),
)  # fmt: skip
CLAIM_ENGINE = Operation(
    "claim_engine", "POST", "/user/engines/claim", Auth.WALLET, "Become owner of a bundled, unowned engine",
    ClaimedEngine, "engines", body=ClaimBody,
    errors=("INVALID_REQUEST", "FORBIDDEN", "NOT_FOUND", "CONFLICT", "ENGINE_UNAVAILABLE", "RATE_LIMITED"),
    rate=Rate.STRICT,
)  # fmt: skip
ENGINE_AUTH_INFO = Operation(
    "engine_auth_info", "GET", "/engine/get-engine-auth-info", Auth.ENGINE,
    "Addresses that may use the calling engine: its owner first, then its guests; with what the owner signed, "
    "where grants=1 asks for it", list[Address] | EngineGuests, "engines",
    errors=("INVALID_REQUEST",), query=AuthInfoQuery,
)  # fmt: skip


class EngineAuthSuccess(Outgoing):
    """`/engine-socket` event ``auth_success``: the gateway knows the engine; ``user_id`` is its owner's address."""

    user_id: str | None


class EngineAuthFailed(Outgoing):
    """`/engine-socket` event ``auth_failed``: wrong id or token, the connection is refused."""

    error: str


class EngineReady(Incoming):
    """`/engine-socket` event ``engine_ready``: the engine is up and can be shown as online."""

    engine_id: EngineId
    internal_api_url: str | None = Field(default=None, max_length=300)
    user_id: str | None = None
    capabilities: list[str] = Field(default_factory=list, max_length=50)
    version: str | None = Field(default=None, max_length=50)


class LinkVitals(Incoming):
    """`/engine-socket` event ``engine_vitals_update``, every 10 s; percentages 0-100, ``ts`` Unix seconds."""

    engine_id: EngineId
    cpu_percent: float = Field(ge=0, le=100)
    memory_percent: float = Field(ge=0, le=100)
    is_busy: bool = False
    ts: float = 0


class EngineClaim(Outgoing):
    """`/engine-socket` event ``engine_claim``, gateway to engine, acknowledged with `EngineClaimResult`."""

    address: Address
    proof: str


class EngineClaimResult(Incoming):
    """The engine's verdict on a claim."""

    accepted: bool
    error: str | None = None


class GuiVitals(Outgoing):
    """Vitals as `/gui-socket` carries them in ``engine_vitals_update``."""

    cpu_percent: float
    memory_percent: float
    is_busy: bool


class GuiEngineVitals(Outgoing):
    """`/gui-socket` event ``engine_vitals_update``, to those who may use the engine."""

    engine_id: str
    vitals: GuiVitals


class GuiEngineStatus(Outgoing):
    """`/gui-socket` event ``engine_status_update`` and the items of ``initial_engine_statuses``."""

    engine_id: str
    status: EngineState
    vitals: GuiVitals | None = None
