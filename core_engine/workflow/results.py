"""What a run gives in the end: the data of its last steps, put together as a join would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from core_engine.kernel.payload import Payload
from core_engine.workflow.journal import encode_payload
from shared.contract.run import NodeStatus, RunStatus

if TYPE_CHECKING:
    from core_engine.workflow.state import RunState

_GOOD = frozenset({NodeStatus.SUCCESS, NodeStatus.SKIPPED})


def merged(parts: Sequence[Payload]) -> Payload:
    """Put several payloads together: objects member by member, later ones winning; other values as a list."""
    values = [part.data for part in parts]
    history = [entry for part in parts for entry in part.history]
    if all(isinstance(value, dict) for value in values):
        return Payload({key: item for value in values for key, item in value.items()}, history)
    return Payload(values, history)


def result_of(state: RunState) -> bytes | None:
    """Return what a run gave that ended well: JSON of a payload, or a reference to its file.

    That is the payload of every step that ended well and led no further, in the order of the nodes; what runs
    finally does not count.
    """
    if state.status is not RunStatus.SUCCEEDED:
        return None
    status = state.planner.status
    stored: list[msgspec.Raw] = []
    for node in sorted(state.leaves):
        if status[node] in _GOOD and node not in state.graph.last:
            stored += (state.outputs[node] or {}).values()
    if len(stored) == 1:
        return bytes(stored[0])
    if not stored:
        return encode_payload(Payload())
    return bytes(state.payloads.store(encode_payload(merged([state.payloads.load(one) for one in stored]))))
