"""How an engine that was installed without a token gets one from its owner's browser (protocol §7.6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from shared.contract.base import Auth, EngineId, Incoming, Operation, Outgoing
from shared.contract.proxy import Done

RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,128}$")]


class SelectForAuthBody(Incoming):
    """The engine's own random request id, and which of the caller's engines it shall be."""

    request_id: RequestId
    engine_id: EngineId


class ClaimTokenQuery(Incoming):
    """The request id that the engine showed to its owner."""

    req_id: RequestId


class ClaimedToken(Outgoing):
    """A fresh token, told this once; it is in force from now on."""

    token: str
    engine_id: str


SELECT_FOR_AUTH = Operation(
    "select_for_auth", "POST", "/user/engines/select-for-auth", Auth.WALLET,
    "Let a waiting installation become one of the caller's engines", Done, "engines", body=SelectForAuthBody,
    errors=("INVALID_REQUEST", "NOT_FOUND", "CONFLICT"),
)  # fmt: skip
CLAIM_TOKEN = Operation(
    "claim_token", "GET", "/engine/claim-token", Auth.SERVICE, "The token of a request that was allowed, once",
    ClaimedToken, "engines", query=ClaimTokenQuery, errors=("INVALID_REQUEST", "NOT_FOUND"),
)  # fmt: skip
