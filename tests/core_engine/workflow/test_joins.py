"""Joins: all, any, the first n, with time-outs and dead inputs; over random graphs against rules written anew."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core_engine.workflow import records as r
from core_engine.workflow.graph import Graph
from core_engine.workflow.parse import parse_workflow
from core_engine.workflow.planner import Planner
from shared.contract.run import RunStatus
from tests.core_engine.workflow.test_journal import SMALL
from tests.core_engine.workflow.test_planner import Script, branching, finish, plans, taken
from tests.core_engine.workflow.workshop import workflow


def joined(join: Any, sources: int = 3) -> Script:
    names = "abcdef"[:sources]
    edges = [f"{name}>j" for name in names]
    return Script(workflow(*edges, **dict.fromkeys(names, "gate"), j={"module_id": "add", "join": join}))


def test_the_first_two_of_three_are_enough_and_the_third_changes_nothing() -> None:
    script = joined({"mode": "first", "count": 2})
    assert script.ready() == ["a", "b", "c"]
    script.ok("c")
    assert script.ready() == []
    script.ok("a")
    assert script.ready() == ["j"]
    assert script.planner.live[3] == [2, 0]
    script.ok("j")
    script.ok("b")
    assert (script.ready(), script.verdict) == ([], RunStatus.SUCCEEDED)


def test_with_fewer_than_asked_for_it_runs_when_no_more_can_come() -> None:
    script = joined({"mode": "first", "count": 3})
    script.ready()
    script.ok("a")
    script.fail("b")
    assert script.ready() == []
    script.fail("c")
    assert script.ready() == ["j"]


def test_with_none_it_is_skipped_unless_it_runs_always() -> None:
    for join, ready in (({"mode": "first", "count": 2}, []), ({"run": "always"}, ["j"])):
        script = joined(join, 2)
        script.ready()
        script.fail("a")
        script.fail("b")
        assert script.ready() == ready
        assert script.status("j") == ("RUNNING" if ready else "SKIPPED")


def test_time_counts_from_the_first_arrival() -> None:
    script = joined({"timeout_seconds": 5})
    script.ready()
    assert script.planner.joins == {}
    script.planner.apply(r.StepFinished(0, 1000, 1, 1, 0.0, {}, (1,)))
    script.planner.apply(r.StepFinished(0, 3000, 0, 1, 0.0, {}, (0,)))
    assert script.planner.joins == {3: 6000}
    script.planner.apply(r.JoinExpired(0, 6000, 3))
    assert script.ready() == ["j"]
    assert (script.planner.joins, script.planner.live[3]) == ({}, [1, 0])
    script.ok("c")
    assert script.ready() == []


def test_a_join_that_got_everything_forgets_its_time_and_an_expiry_too_late_does_nothing() -> None:
    script = joined({"timeout_seconds": 5}, 2)
    script.ready()
    script.ok("a")
    script.ok("b")
    assert script.planner.joins == {}
    assert script.ready() == ["j"]
    script.planner.apply(r.JoinExpired(0, 6000, 2))
    assert script.ready() == []


# Random graphs: what is due after each event is worked out anew from the whole past.


@st.composite
def join_plans(draw: Any) -> tuple[dict[str, Any], list[str], int | None]:
    data, outcomes, start = draw(plans())
    for node in data["nodes"]:
        node["join"] = {
            "mode": draw(st.sampled_from(["all", "any", "first"])),
            "count": draw(st.integers(1, 4)),
            "timeout_seconds": draw(st.sampled_from([None, 1.0])),
            "on_timeout": draw(st.sampled_from(["continue", "fail"])),
            "run": draw(st.sampled_from(["live", "live", "always"])),
        }
    return data, outcomes, start


class Rules:
    """The semantics in words: what has come, what can still come, and so what is due."""

    def __init__(self, graph: Graph, start: int | None) -> None:
        self.graph, self.start = graph, start
        self.inside = set(range(len(graph.nodes))) if start is None else graph.reachable(start)
        self.arrived: dict[int, list[int]] = {node: [] for node in self.inside}
        self.dead: set[int] = set()
        self.gone: set[int] = set()
        self.skipped: set[int] = set()
        self.expired: set[int] = set()

    def incoming(self, node: int) -> list[int]:
        return [edge for edge in self.graph.incoming[node] if self.graph.edges[edge].source in self.inside]

    def missing(self, node: int) -> int:
        return (
            len(self.incoming(node))
            - len(self.arrived[node])
            - len(self.dead.intersection(self.incoming(node)))
        )

    def is_due(self, node: int) -> bool:
        rule, live = self.graph.nodes[node].join, len(self.arrived[node])
        if not self.incoming(node) or node in self.expired:
            return True
        if self.missing(node) == 0:
            return live > 0 or rule.run == "always"
        return (rule.mode == "any" and live > 0) or (rule.mode == "first" and live >= rule.count)

    def end(self, node: int, opened: tuple[int, ...]) -> None:
        for edge in self.graph.outgoing[node]:
            target = self.graph.edges[edge].target
            if edge not in opened:
                self.dead.add(edge)
            elif target not in self.gone:
                if not self.is_due(target):
                    self.arrived[target].append(edge)
                else:
                    self.dead.add(edge)

    def due(self) -> set[int]:
        """Skip what can never run, then return what is to start now, and note that it does."""
        while True:
            never = [
                node
                for node in self.inside - self.gone
                if self.incoming(node) and self.missing(node) == 0 and not self.is_due(node)
            ]
            if not never:
                break
            for node in never:
                self.gone.add(node)
                self.skipped.add(node)
                self.end(node, ())
        found = {node for node in self.inside - self.gone if self.is_due(node)}
        self.gone |= found
        return found

    def expiring(self) -> set[int]:
        nodes = self.graph.nodes
        return {n for n in self.inside - self.gone if nodes[n].join.timeout_seconds and self.arrived[n]}


def drain(planner: Planner, outcomes: list[str]) -> list[int]:
    """Start everything that is ready."""
    found = []
    while (node := planner.next_ahead()) is not None or (node := planner.next_claim()) is not None:
        found.append(node)
        if outcomes[node] != "disabled":
            planner.apply(r.StepStarted(0, 0, node, 1, 1, "repeatable"))
    return found


@settings(max_examples=400, deadline=None)
@given(join_plans(), st.randoms(use_true_random=False))
def test_every_join_runs_once_and_exactly_when_its_rule_says(plan: Any, rng: random.Random) -> None:
    data, outcomes, start = plan
    graph = parse_workflow(data, branching())
    planner = Planner(graph, start=start, ahead=[rng.random() < 0.5 for _ in graph.nodes])
    rules = Rules(graph, start)
    running: list[int] = []
    started: list[int] = []
    failed = False
    while True:
        ready = drain(planner, outcomes)
        assert set(ready) == rules.due()
        for node in ready:
            assert sorted(planner.live[node]) == sorted(rules.arrived[node])
        started += ready
        running += ready
        expiring = rules.expiring()
        assert set(planner.joins) == expiring
        if expiring and (not running or rng.random() < 0.3):
            failed |= expire(graph, planner, rules, rng.choice(sorted(expiring)))
        elif running:
            node = running.pop(rng.randrange(len(running)))
            finish(graph, planner, node, outcomes[node], rng)
            opened = taken(graph, node, outcomes[node])
            failed |= outcomes[node] in {"fail", "unknown"} and not opened
            rules.end(node, opened)
        else:
            break
    assert len(started) == len(set(started))
    assert rules.inside == rules.gone
    verdict = planner.verdict()
    assert verdict is not None
    assert verdict.status is (RunStatus.FAILED if failed else RunStatus.SUCCEEDED)
    for node in rules.skipped:
        assert planner.status[node].value == "SKIPPED"


def expire(graph: Graph, planner: Planner, rules: Rules, node: int) -> bool:
    """Let a join wait no longer; return whether that fails the run."""
    if graph.nodes[node].join.on_timeout == "continue":
        planner.apply(r.JoinExpired(0, 0, node))
        rules.expired.add(node)
        return False
    opened = graph.error_route(node)
    planner.apply(r.StepFailed(0, 0, node, 0, 0.0, "JOIN_TIMEOUT", "late", None, {}, opened))
    rules.gone.add(node)
    rules.end(node, opened)
    return not opened


@settings(max_examples=150, deadline=None)
@given(plans(), st.sets(st.integers(0, 8)), st.randoms(use_true_random=False), st.integers(0, 12))
def test_stopped_at_any_moment_the_final_part_runs_once_and_alone(
    plan: Any, last: set[int], rng: random.Random, moment: int
) -> None:
    data, outcomes, _ = plan
    for node in data["nodes"]:
        node["finally"] = int(node["id"][1:]) in last
    finals = {node["id"] for node in data["nodes"] if node["finally"]}
    data["connections"] = [
        edge for edge in data["connections"] if (edge["source"] in finals) == (edge["target"] in finals)
    ]
    graph = parse_workflow(data, branching())
    planner = Planner(graph, start=None, ahead=[rng.random() < 0.5 for _ in graph.nodes])
    running = play_on(graph, planner, outcomes, rng, moment)
    assert not graph.last & {node for node in range(len(graph.nodes)) if planner.attempts[node]}
    if planner.verdict() is None:
        planner.apply(r.StopRequested(0, 0, "x"))
        for node in running:
            planner.apply(r.StepCancelled(0, 0, node, 1, "stopped"))
    main = planner.verdict()
    assert main is not None
    if not graph.last:
        return
    before = [planner.status[node] for node in range(len(graph.nodes)) if node not in graph.last]
    planner.apply(r.FinallyStarted(0, 0, main.status.value, main.error, SMALL, "RUNNING"))
    assert planner.verdict() is None
    assert play_on(graph, planner, outcomes, rng, 1000) == []
    verdict = planner.verdict()
    assert verdict is not None
    if main.status is not RunStatus.SUCCEEDED:
        assert verdict == main
    assert [planner.status[node] for node in range(len(graph.nodes)) if node not in graph.last] == before
    assert {planner.status[node].value for node in graph.last} <= {
        "SUCCESS",
        "SKIPPED",
        "ERROR",
        "OUTCOME_UNKNOWN",
    }


def play_on(
    graph: Graph, planner: Planner, outcomes: list[str], rng: random.Random, moments: int
) -> list[int]:
    """Let so many steps end; return those that run then."""
    running = drain(planner, outcomes)
    for _ in range(moments):
        if not running:
            break
        node = running.pop(rng.randrange(len(running)))
        finish(graph, planner, node, outcomes[node], rng)
        running += drain(planner, outcomes)
    # a disabled node has no attempt that could be cancelled: it passes at once
    for node in [node for node in running if outcomes[node] == "disabled"]:
        running.remove(node)
        finish(graph, planner, node, "disabled", rng)
    return running
