"""What engine, worker and step process tell each other of a step: the request, what it tells, how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core_engine.kernel.payload import DeadInput, Input, Payload
from core_engine.kernel.version import own_version
from core_engine.workflow.failures import describe
from core_engine.workflow.steps import Outcome, StepContext
from shared.errors import ErrorCode, FloworkError

STEPS_VERSION = 1
"""To be raised with any change of what is defined here, so that engine and worker never misread each other.

A request that waited while the engine was updated is read by the new workers: new members need defaults.
"""
CRASHED = "crashed"
"""Why a claim was given up: the step's process ended without a word."""
_BADLY = b'{"outputs":null'
"""How an `Ended` without a result begins."""


def speaks() -> str:
    """Return the version that engine and worker must have in common: the same components and the same messages."""
    return f"flowork {own_version()}, steps {STEPS_VERSION}"


class Request(msgspec.Struct, frozen=True):
    """A step to be carried out. ``values`` are its settings with every expression resolved."""

    component: str
    run_id: str
    workflow: str
    node_id: str
    node_name: str
    attempt: int
    mode: str
    idempotency_key: str
    iteration: int
    round: int
    values: Any
    payload: Payload
    inputs: list[Input]
    dead_inputs: list[DeadInput]
    tokens_in: int
    tokens_out: int
    cost: dict[str, str]


class Told(msgspec.Struct, frozen=True, array_like=True):
    """Something a step tells while it runs: a call of the engine's own step context, by name."""

    call: str
    values: dict[str, Any]


class Ended(msgspec.Struct, frozen=True):
    """How a step ended: with a payload as JSON per port, or with an error."""

    outputs: dict[str, msgspec.Raw] | None = None
    code: str = ""
    error: str = ""
    final: bool = False


def request_of(context: StepContext, component: str, payload: Payload) -> bytes:
    """Return the request for an attempt."""
    spent = context.spent()
    return msgspec.json.encode(
        Request(
            component=component,
            run_id=context.run_id,
            workflow=context.workflow,
            node_id=context.node_id,
            node_name=context.node_name,
            attempt=context.attempt,
            mode=context.mode.value,
            idempotency_key=context.idempotency_key,
            iteration=context.iteration,
            round=context.round,
            values=context.values,
            payload=payload,
            inputs=list(context.inputs),
            dead_inputs=list(context.dead_inputs),
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            cost={currency: str(cost) for currency, cost in spent.cost.items()},
        )
    )


def encode_told(told: Sequence[bytes]) -> bytes:
    """Put several `Told` together."""
    return msgspec.json.encode([msgspec.Raw(one) for one in told])


def ended_well(outputs: dict[str, bytes]) -> bytes:
    """Return a result."""
    return msgspec.json.encode(Ended({port: msgspec.Raw(content) for port, content in outputs.items()}))


def went_well(ended: bytes) -> bool:
    """Tell whether a step ended with a result, without reading that."""
    return not ended.startswith(_BADLY)


def ended_badly(error: BaseException) -> bytes:
    """Return a failure; the engine masks secrets in it."""
    code, text = describe(error, ())
    details = error.details if isinstance(error, FloworkError) else None
    final = isinstance(details, dict) and details.get("final") is True
    return msgspec.json.encode(Ended(None, code, text, final))


def outcome_of(body: bytes) -> Outcome:
    """Return a step's end as the engine takes it."""
    try:
        ended = msgspec.json.decode(body, type=Ended)
        if ended.outputs is not None:
            return {port: bytes(content) for port, content in ended.outputs.items()}
        return FloworkError(
            ErrorCode(ended.code), ended.error, details={"final": True} if ended.final else None
        )
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        return FloworkError(ErrorCode.COMPONENT_FAILED, f"The worker's result cannot be read: {error}.")


def tell(context: StepContext, body: bytes) -> None:
    """Do at the engine's context what the step did at its own (`encode_told`); what is unreadable is left out."""
    try:
        bodies = msgspec.json.decode(body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError):
        return
    for one in bodies:
        try:
            told = msgspec.json.decode(one, type=Told)
            if told.call in {"log", "popup", "spend"}:
                getattr(context, told.call)(**told.values)
        except (msgspec.MsgspecError, FloworkError, RecursionError, TypeError, ValueError):
            continue
