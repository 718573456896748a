"""Joins, breakpoints and seeds at once, over random graphs, against a model that looks at the whole past."""

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
from tests.core_engine.workflow.test_joins import Rules, drain, expire, join_plans
from tests.core_engine.workflow.test_planner import branching, finish, taken

_BROKEN = {"fail", "unknown"}


class HeldRules(Rules):
    """The same rules where data may stop on its way: what is held has neither come nor is it dead."""

    def __init__(self, graph: Graph, start: int | None, stops: set[int]) -> None:
        super().__init__(graph, start)
        self.stops = stops
        self.held: set[int] = set()

    def end(self, node: int, opened: tuple[int, ...]) -> None:
        for edge in self.graph.outgoing[node]:
            target = self.graph.edges[edge].target
            if edge in opened and edge in self.stops and self.waits(target):
                self.held.add(edge)
            elif edge in opened:
                self.arrive(edge)
            else:
                self.dead.add(edge)

    def waits(self, node: int) -> bool:
        return node not in self.gone and not self.is_due(node)

    def arrive(self, edge: int) -> None:
        target = self.graph.edges[edge].target
        if self.waits(target):
            self.arrived[target].append(edge)
        else:
            self.dead.add(edge)

    def release(self, edges: tuple[int, ...]) -> None:
        self.held.difference_update(edges)
        for edge in edges:
            self.arrive(edge)

    def shown(self) -> set[int]:
        return {edge for edge in self.held if self.graph.edges[edge].target not in self.gone}


class Play:
    """A plan under way, in the planner and in the model."""

    def __init__(self, graph: Graph, outcomes: list[str], start: int | None, rng: random.Random) -> None:
        self.graph, self.outcomes, self.rng = graph, outcomes, rng
        self.planner = Planner(graph, start=start, ahead=[rng.random() < 0.5 for _ in graph.nodes])
        edges = tuple(edge.index for edge in graph.edges if rng.random() < 0.4)
        self.planner.apply(r.BreakpointsSet(0, 0, edges, "x"))
        self.rules = HeldRules(graph, start, set(edges))
        self.due = self.rules.due()
        self.running: list[int] = []
        self.seeded: set[int] = set()
        self.failed = False

    def seed(self) -> None:
        """Give some nodes, each after those before it, a result of a past run."""
        for node in sorted(self.rules.inside):
            before = {self.graph.edges[edge].source for edge in self.rules.incoming(node)}
            if node in self.rules.skipped or not before <= self.seeded or self.rng.random() < 0.4:
                continue
            self.seeded.add(node)
            opened, broken = taken(self.graph, node, self.outcomes[node]), self.outcomes[node] in _BROKEN
            status = "ERROR" if broken else "SUCCESS"
            self.planner.apply(
                r.StepSeeded(0, 0, node, status, {}, opened, "old", False, "x" if broken else None)
            )
            self.failed |= broken and not opened
            self.due.discard(node)
            self.rules.gone.add(node)
            self.rules.end(node, opened)
            self.due |= self.rules.due()

    def step(self) -> bool:
        """Start what is ready, then have one thing happen; False when nothing can any more."""
        planner, rules, rng = self.planner, self.rules, self.rng
        ready = drain(planner, self.outcomes)
        assert set(ready) == self.due
        assert len(ready) == len(self.due)
        assert not self.seeded.intersection(ready)
        self.running += ready
        held, expiring = sorted(planner.at_breakpoints()), sorted(rules.expiring())
        assert set(held) == rules.shown()
        assert sorted(planner.joins) == expiring
        idle = not self.running
        if held and (rng.random() < 0.3 or (idle and not expiring)):
            some = tuple(edge for edge in held if rng.random() < 0.5) or tuple(held)
            planner.apply(r.BreakpointsPassed(0, 0, some, False, "x"))
            rules.release(some)
        elif expiring and (idle or rng.random() < 0.3):
            self.failed |= expire(self.graph, planner, rules, rng.choice(expiring))
        elif self.running:
            node = self.running.pop(rng.randrange(len(self.running)))
            finish(self.graph, planner, node, self.outcomes[node], rng)
            opened = taken(self.graph, node, self.outcomes[node])
            self.failed |= self.outcomes[node] in _BROKEN and not opened
            rules.end(node, opened)
        else:
            return False
        self.due = rules.due()
        return True


@settings(max_examples=150, deadline=None)
@given(join_plans(), st.randoms(use_true_random=False), st.booleans())
def test_every_node_runs_once_whatever_is_joined_held_and_seeded(plan: Any, rng: random.Random, seeds: bool):
    data, outcomes, start = plan
    play = Play(parse_workflow(data, branching()), outcomes, start, rng)
    if seeds:
        play.seed()
    while play.step():
        pass
    assert play.rules.inside == play.rules.gone
    assert play.rules.shown() == set()
    verdict = play.planner.verdict()
    assert verdict is not None
    assert verdict.status is (RunStatus.FAILED if play.failed else RunStatus.SUCCEEDED)
    for node in play.rules.skipped:
        assert play.planner.status[node].value == "SKIPPED"
