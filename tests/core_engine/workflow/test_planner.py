"""The planner as transcripts, and over random graphs against a model of a few lines."""

from __future__ import annotations

import itertools
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core_engine.workflow import records as r
from core_engine.workflow.graph import Graph
from core_engine.workflow.parse import parse_workflow
from core_engine.workflow.planner import Planner
from shared.contract.run import NodeStatus, RunMode, RunStatus
from tests.core_engine.workflow.workshop import Registry, workflow

TERMINAL = {
    NodeStatus.SUCCESS, NodeStatus.ERROR, NodeStatus.SKIPPED, NodeStatus.CANCELLED, NodeStatus.OUTCOME_UNKNOWN,
}  # fmt: skip


class Script:
    """Drives a planner by node names and reads back what it wants."""

    def __init__(self, data: dict[str, Any], start: str | None = None) -> None:
        self.graph: Graph = parse_workflow(data, Registry())
        index = None if start is None else self.graph.by_id[start]
        ahead = [node.runs_ahead(RunMode.EXECUTE) for node in self.graph.nodes]
        self.planner = Planner(self.graph, start=index, ahead=ahead)
        self.attempts: dict[str, int] = {}

    def ready(self) -> list[str]:
        """Take every node that may start now and start it."""
        names = []
        while (node := self._next()) is not None:
            name = self.graph.nodes[node].id
            names.append(name)
            self.attempts[name] = self.attempts.get(name, 0) + 1
            if not self.graph.nodes[node].disabled:
                self.planner.apply(r.StepStarted(0, 0, node, self.attempts[name], 1, "repeatable"))
        return names

    def _next(self) -> int | None:
        node = self.planner.next_ahead()
        return self.planner.next_claim() if node is None else node

    def ok(self, name: str, *ports: str) -> None:
        node = self.graph.by_id[name]
        taken = self.graph.route(node, ports or ("success",))
        self.planner.apply(r.StepFinished(0, 0, node, 1, 0.0, {}, taken))

    def passed(self, name: str) -> None:
        node = self.graph.by_id[name]
        self.planner.apply(r.StepPassed(0, 0, node, {}, self.graph.route(node, ("success",))))

    def fail(self, name: str, *, retry: bool = False) -> None:
        node = self.graph.by_id[name]
        taken = () if retry else self.graph.error_route(node)
        at = 5 if retry else None
        self.planner.apply(r.StepFailed(0, 0, node, 1, 0.0, "X", "broken", at, {}, taken))

    def status(self, name: str) -> str:
        return self.planner.status[self.graph.by_id[name]].value

    @property
    def verdict(self) -> RunStatus | None:
        found = self.planner.verdict()
        return found.status if found else None


def test_a_join_waits_for_its_live_connections_only():
    script = Script(
        workflow("a:yes>b", "a:no>c", "b>d", "c>d", "e>d", a="branch", b="add", c="add", d="add", e="add")
    )
    assert script.ready() == ["a", "e"]
    script.ok("a", "yes")
    assert script.status("c") == "SKIPPED"
    assert script.ready() == ["b"]
    script.ok("b")
    assert script.ready() == []
    script.ok("e")
    assert script.ready() == ["d"]
    assert script.verdict is None
    script.ok("d")
    assert script.verdict is RunStatus.SUCCEEDED


def test_a_dead_branch_is_skipped_as_far_as_it_reaches():
    names = [f"n{i}" for i in range(5000)]
    edges = [f"{a}>{b}" for a, b in itertools.pairwise(names)]
    script = Script(workflow(*edges, **dict.fromkeys(names, "add")))
    assert script.ready() == ["n0"]
    script.fail("n0")
    assert script.status("n4999") == "SKIPPED"
    assert script.planner.verdict() == (RunStatus.FAILED, "N0: broken")


def test_a_retry_waits_for_its_time_and_counts_failures():
    script = Script(workflow(a={"module_id": "fail", "retry": {"attempts": 2}}))
    assert script.ready() == ["a"]
    assert script.planner.may_retry(0)
    script.fail("a", retry=True)
    assert (script.status("a"), script.planner.retries) == ("RETRYING", {0: 5})
    assert script.ready() == []
    script.planner.retry_due(0)
    script.planner.retry_due(0)
    assert script.ready() == ["a"]
    assert not script.planner.may_retry(0)
    script.fail("a")
    assert script.verdict is RunStatus.FAILED


def test_pause_holds_what_is_ready_and_resume_lets_it_go():
    script = Script(workflow("a>b", "a>c", a="add", b="add", c="gate"))
    assert script.ready() == ["a"]
    script.planner.apply(r.RunPaused(0, 0, "x"))
    script.ok("a")
    assert script.ready() == []
    assert not script.planner.has_claims
    script.planner.apply(r.RunResumed(0, 0, "x"))
    assert script.ready() == ["b", "c"]


def test_stop_cancels_everything_and_waits_for_what_runs():
    script = Script(workflow("a>c", "b>c", a="gate", b="gate", c="add"))
    assert script.ready() == ["a", "b"]
    script.ok("a")
    script.planner.apply(r.StopRequested(0, 0, "x"))
    assert (script.status("c"), script.verdict) == ("CANCELLED", None)
    script.planner.apply(r.StepCancelled(0, 0, 1, 1, "stopped"))
    assert script.verdict is RunStatus.STOPPED
    assert script.ready() == []


def test_an_answered_wait_that_a_stop_ended_does_not_go_on_in_the_final_part():
    """Found by the simulation: its step ran, with its effect, after it had been cancelled."""
    data = workflow(a="gate", z={"module_id": "add", "finally": True})
    script = Script(data)
    assert script.ready() == ["a"]
    planner = script.planner
    planner.apply(r.StepSuspended(0, 0, 0, 1, "w", None, "approval", None))
    planner.apply(r.StepResumed(0, 0, 0, 1, "approved", "0xb", "", None))
    planner.apply(r.StopRequested(0, 0, "x"))
    planner.apply(r.StepCancelled(0, 0, 0, 1, "stopped"))
    planner.apply(r.FinallyStarted(0, 0, "STOPPED", None, b"{}", "RUNNING"))
    assert script.ready() == ["z"]


def test_a_finish_recorded_before_the_stop_counts():
    script = Script(workflow(a="gate"))
    script.ready()
    script.ok("a")
    assert script.verdict is RunStatus.SUCCEEDED
    assert script.status("a") == "SUCCESS"


def test_a_failure_and_a_retry_during_a_stop_do_not_wake_anything():
    script = Script(workflow("a>b", a={"module_id": "gate", "retry": {"attempts": 9}}, b="add"))
    script.ready()
    script.fail("a", retry=True)
    script.planner.apply(r.StopRequested(0, 0, "x"))
    script.planner.retry_due(0)
    assert script.ready() == []
    assert script.verdict is RunStatus.STOPPED


def test_an_interrupted_step_is_ready_again_and_its_crashes_are_counted():
    script = Script(workflow("a>b", a="gate", b="add"))
    script.ready()
    for crash in (True, False, True):
        script.planner.apply(r.StepInterrupted(0, 0, 0, crash))
        assert script.ready() == ["a"]
    assert script.planner.crashes == {0: 2}
    assert script.planner.attempts[0] == 4


def test_join_any_runs_at_the_first_live_connection_and_never_again():
    script = Script(workflow("a>c", "b>c", a="gate", b="gate", c={"module_id": "add", "join": "any"}))
    script.ready()
    script.ok("b")
    assert script.ready() == ["c"]
    assert script.planner.live[2] == [1]
    script.ok("c")
    script.ok("a")
    assert script.ready() == []
    assert script.verdict is RunStatus.SUCCEEDED


def test_a_run_from_a_node_forgets_everything_else():
    script = Script(workflow("a>b", "x>c", "b>c", a="add", b="add", c="add", x="add"), start="b")
    assert script.ready() == ["b"]
    script.ok("b")
    assert script.ready() == ["c"]
    assert (script.status("a"), script.status("x")) == ("SKIPPED", "SKIPPED")


# Random graphs: what ends how does not depend on the order of things, so a model in topological order must agree.

OUTCOMES = st.sampled_from(["yes", "no", "maybe", "yes+no", "none", "fail", "unknown", "disabled"])


@st.composite
def plans(draw: Any) -> tuple[dict[str, Any], list[str], int | None]:
    count = draw(st.integers(1, 9))
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=18)) if pairs else []
    ports = st.sampled_from(["yes", "no", "maybe", "error", ""])
    edges = [
        {"id": f"e{n}", "source": f"n{i}", "target": f"n{j}", "source_port_name": draw(ports)}
        for n, (i, j) in enumerate(chosen)
    ]
    outcomes = [draw(OUTCOMES) for _ in range(count)]
    nodes = [
        {
            "id": f"n{i}",
            "module_id": draw(st.sampled_from(["branch", "gate_branch"])),
            "join": draw(st.sampled_from(["all", "all", "any"])),
            "disabled": outcomes[i] == "disabled",
        }
        for i in range(count)
    ]
    start = draw(st.one_of(st.none(), st.integers(0, count - 1)))
    return {"nodes": nodes, "connections": edges}, outcomes, start


def branching() -> Registry:
    registry = Registry()
    gate = type("GateBranch", (type(registry["branch"]),), {"id": "gate_branch", "policy": "once"})()
    registry.components["gate_branch"] = gate
    return registry


def taken(graph: Graph, node: int, outcome: str) -> tuple[int, ...]:
    if outcome in {"fail", "unknown"}:
        return graph.error_route(node)
    if outcome == "disabled":
        return graph.route(node, ("success",))
    return graph.route(node, [] if outcome == "none" else outcome.split("+"))


def expected(graph: Graph, outcomes: list[str], start: int | None) -> tuple[list[str], RunStatus]:
    """Say how every node ends: the model."""
    inside = set(range(len(graph.nodes))) if start is None else graph.reachable(start)
    live: set[int] = set()
    ends, status = [], RunStatus.SUCCEEDED
    for node, outcome in enumerate(outcomes):
        incoming = [edge for edge in graph.incoming[node] if graph.edges[edge].source in inside]
        if node not in inside or (incoming and not live.intersection(incoming)):
            ends.append("SKIPPED")
            continue
        opened = taken(graph, node, outcome)
        live.update(opened)
        names = {"fail": "ERROR", "unknown": "OUTCOME_UNKNOWN", "disabled": "SKIPPED"}
        ends.append(names.get(outcome, "SUCCESS"))
        if outcome in {"fail", "unknown"} and not opened:
            status = RunStatus.FAILED
    return ends, status


def play(
    graph: Graph, outcomes: list[str], start: int | None, rng: random.Random
) -> tuple[Planner, list[int]]:
    """Run the plan in a random order; return the planner and the order of starts."""
    ahead = [rng.random() < 0.5 for _ in graph.nodes]
    planner = Planner(graph, start=start, ahead=ahead)
    running: list[int] = []
    started: list[int] = []
    ended: set[int] = set()
    while True:
        while (node := planner.next_ahead() if rng.random() < 0.5 else planner.next_claim()) is not None:
            check_may_start(graph, planner, node, started, ended)
            started.append(node)
            running.append(node)
            if outcomes[node] != "disabled":
                planner.apply(r.StepStarted(0, 0, node, 1, 1, "repeatable"))
        idle = planner.next_ahead()
        idle = planner.next_claim() if idle is None else idle
        if idle is not None:
            check_may_start(graph, planner, idle, started, ended)
            started.append(idle)
            running.append(idle)
            if outcomes[idle] != "disabled":
                planner.apply(r.StepStarted(0, 0, idle, 1, 1, "repeatable"))
            continue
        if not running:
            return planner, started
        node = running.pop(rng.randrange(len(running)))
        finish(graph, planner, node, outcomes[node], rng)
        if planner.status[node] in TERMINAL:
            ended.add(node)


def finish(graph: Graph, planner: Planner, node: int, outcome: str, rng: random.Random) -> None:
    opened = taken(graph, node, outcome)
    if outcome == "disabled":
        planner.apply(r.StepPassed(0, 0, node, {}, opened))
    elif outcome == "fail":
        planner.apply(r.StepFailed(0, 0, node, 1, 0.0, "X", "broken", None, {}, opened))
    elif outcome == "unknown":
        planner.apply(r.StepUnknown(0, 0, node, 1, "nobody knows", {}, opened))
    elif rng.random() < 0.5:
        planner.apply(r.StepFinished(0, 0, node, 1, 0.0, {}, opened))
    else:
        planner.ran(r.StepRan(0, 0, node, 1, 0.0, {}, opened))


def check_may_start(graph: Graph, planner: Planner, node: int, started: list[int], ended: set[int]) -> None:
    assert node not in started
    sources = {graph.edges[edge].source for edge in graph.incoming[node]}
    unended = {s for s in sources if s not in ended and planner.status[s] not in TERMINAL}
    if graph.nodes[node].join_any:
        assert not sources or len(planner.live[node]) == 1 or planner.live[node] == []
    else:
        assert not unended, "a join started before its sources had ended"


@settings(max_examples=400, deadline=None)
@given(plans(), st.randoms(use_true_random=False))
def test_every_node_ends_once_and_as_the_model_says(plan, rng):
    data, outcomes, start = plan
    graph = parse_workflow(data, branching())
    planner, started = play(graph, outcomes, start, rng)
    ends, status = expected(graph, outcomes, start)
    assert [found.value for found in planner.status] == ends
    assert len(started) == len(set(started))
    verdict = planner.verdict()
    assert verdict is not None
    assert verdict.status is status
    assert (verdict.error is None) == (status is RunStatus.SUCCEEDED)


@settings(max_examples=150, deadline=None)
@given(plans(), st.randoms(use_true_random=False), st.integers(0, 12))
def test_a_stop_at_any_moment_leaves_nothing_open(plan, rng, moment):
    data, outcomes, start = plan
    graph = parse_workflow(data, branching())
    planner = Planner(graph, start=start, ahead=[True] * len(graph.nodes))
    running: list[int] = []
    for _ in range(moment):
        node = planner.next_ahead()
        if node is not None and outcomes[node] == "disabled":
            finish(graph, planner, node, "disabled", rng)
        elif node is not None:
            planner.apply(r.StepStarted(0, 0, node, 1, 1, "repeatable"))
            running.append(node)
        elif running:
            finish(graph, planner, node := running.pop(), outcomes[node], rng)
    was_over = planner.verdict() is not None
    planner.apply(r.StopRequested(0, 0, "x"))
    for node in running:
        planner.apply(r.StepCancelled(0, 0, node, 1, "stopped"))
    assert all(status in TERMINAL for status in planner.status)
    assert planner.next_ahead() is None
    verdict = planner.verdict()
    assert verdict is not None
    if not was_over:
        assert verdict.status is RunStatus.STOPPED
