"""The first record of a run: what was asked for, as the journal keeps it."""

from __future__ import annotations

from core_engine.kernel.ports import StartRun
from core_engine.workflow.graph import Graph
from core_engine.workflow.journal import Payloads, encode_payload
from core_engine.workflow.records import RunAccepted


def accept(  # noqa: PLR0913 - the place and time of the run besides what was asked for
    request: StartRun, graph: Graph, payloads: Payloads, *, start_node: int | None, at: int, epoch: int
) -> RunAccepted:
    """Return the acceptance of a request; ``at`` is Unix milliseconds."""
    parent = request.parent
    return RunAccepted(
        seq=1,
        at=at,
        run_id=request.run_id,
        started_by=request.started_by,
        mode=str(request.mode),
        preset=request.preset_name,
        workflow=graph.hash,
        start_node=start_node,
        initial=payloads.store(encode_payload(request.initial_payload)),
        epoch=epoch,
        nodes=len(graph.nodes),
        edges=len(graph.edges),
        parent=(parent.run_id, parent.node_id, parent.item) if parent else None,
        effect_key=request.effect_key,
        origin=request.origin,
        options=dict(request.options) if request.options else None,
        trace=request.trace,
    )
