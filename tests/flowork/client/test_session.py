"""The engine session against a scripted engine: answers, errors, lost connections, runs without gap or repeat."""

from __future__ import annotations

import gc
import re
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from flowork.client import EngineSession, run, session
from shared.clock import ManualClock
from shared.contract.run import GetRun, LogEvent, PauseWorkflow, RunMode, WorkflowStatusUpdate
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey
from tests.flowork.scripted_engine import ENGINE_ID, Peer, log, scripted_engine, status

KEY = WalletKey.from_hex("11" * 32)
EMPTY: dict[str, Any] = {"nodes": [], "connections": []}


def connect(url: str, **settings: Any) -> EngineSession:
    return EngineSession(url, ENGINE_ID, KEY, **({"timeout_seconds": 5.0} | settings))


def seqs(events: Any) -> list[int]:
    return [event.seq for event in events]


def started(peer: Peer) -> str:
    """Answer an execute_workflow and return the run's id."""
    asked = peer.take("execute_workflow")
    peer.give(status(1, "RUNNING", asked["job_id"], asked["request_id"]))
    return str(asked["job_id"])


def wait_for_the_end(peer: Peer) -> None:
    """Say nothing until the client hangs up."""
    with pytest.raises(ConnectionClosed):
        peer.take()


def refused(act: Callable[..., Any], *given: Any) -> FloworkError:
    """Return the error of an act that must fail."""
    with pytest.raises(FloworkError) as caught:
        act(*given)
    return caught.value


def resumed(peer: Peer, after: int) -> str:
    """Answer a subscribe_run and return the run's id."""
    asked = peer.take("subscribe_run")
    assert asked["after_seq"] == after
    peer.give(
        {
            "type": "run_subscribed",
            "job_id": asked["job_id"],
            "from_seq": after + 1,
            "request_id": asked["request_id"],
        }
    )
    return str(asked["job_id"])


def test_answers_find_their_question_among_other_events() -> None:
    def script(peer: Peer) -> None:
        asked = peer.take("list_runs")
        assert asked["limit"] == 7
        assert "before" not in asked
        peer.give(
            {
                "type": "engine_status_update",
                "engineId": "x",
                "isBusy": False,
                "cpuPercent": 1,
                "memoryPercent": 1,
            }
        )
        peer.give({"type": "from_the_future", "x": 1})
        peer.give({"type": "runs_list_response", "runs": [], "request_id": "another"})
        peer.give(
            {"type": "runs_list_response", "runs": [], "request_id": asked["request_id"], "new_member": 1}
        )
        asked = peer.take("validate_workflow")
        assert asked["workflow_data"] == {"nodes": [{"id": "a", "note": None}]}
        problems = [{"problem": "bad", "node_id": "a"}]
        peer.give(
            {
                "type": "workflow_validation_response",
                "valid": False,
                "problems": problems,
                "request_id": asked["request_id"],
            },
            batch=True,
        )
        asked = peer.take("request_components_list")
        answer = {"type": "components_list_response", "component_type": "tools", "components": []}
        peer.give(answer | {"request_id": asked["request_id"]})

    with scripted_engine(script) as url, connect(url) as engine:
        assert engine.runs(limit=7) == []
        assert engine.validate({"nodes": [{"id": "a", "note": None}]}).problems[0].problem == "bad"
        assert engine.components("tools") == []


@pytest.mark.parametrize("named", [True, False])
def test_a_refusal_has_the_engines_code(named: bool) -> None:
    def script(peer: Peer) -> None:
        asked = peer.take("get_run")
        answer = {"type": "error", "code": "NOT_FOUND", "message": "There is no run x.", "details": {"a": 1}}
        peer.give(answer | ({"request_id": asked["request_id"]} if named else {}))

    with scripted_engine(script) as url, connect(url) as engine, pytest.raises(FloworkError) as caught:
        engine.get_run("x")
    assert (caught.value.code, caught.value.details) == (ErrorCode.NOT_FOUND, {"a": 1})


def test_an_answer_of_the_wrong_kind_or_shape_is_not_believed() -> None:
    def other(peer: Peer) -> None:
        asked = peer.take("get_run")
        peer.give({"type": "runs_list_response", "runs": [], "request_id": asked["request_id"]})

    def broken(peer: Peer) -> None:
        peer.take("get_run")
        peer.give({"type": "run_response", "run": 5})

    with scripted_engine(other, broken) as url:
        for _ in range(2):
            with connect(url) as engine, pytest.raises(FloworkError) as caught:
                engine.get_run("x")
            assert caught.value.code is ErrorCode.INTERNAL


def test_silence_ends_at_the_deadline() -> None:
    def silent(peer: Peer) -> None:
        peer.take("get_run")
        wait_for_the_end(peer)

    with scripted_engine(silent) as url, connect(url, timeout_seconds=0.2) as engine:
        failure = refused(engine.call, GetRun(job_id="x"))
    assert failure.code is ErrorCode.DEADLINE_EXCEEDED
    assert "get_run within" in failure.message


def test_nobody_there_and_the_wrong_engine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"ws://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(FloworkError, match="No engine answers") as caught, connect(url):
        pass
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    with scripted_engine(lambda peer: peer.hang_up(1008, "Invalid engineId")) as url, connect(url) as engine:
        assert refused(engine.runs).code is ErrorCode.NOT_FOUND
    with pytest.raises(FloworkError) as no_socket:
        connect("http://127.0.0.1:1")
    assert no_socket.value.code is ErrorCode.CONFIGURATION


def test_a_stale_message_names_the_clock() -> None:
    def script(peer: Peer) -> None:
        with pytest.raises(FloworkError) as stale:
            peer.take()
        peer.give(stale.value.as_frame())

    with scripted_engine(script) as url, connect(url, clock=ManualClock()) as engine:
        failure = refused(engine.runs)
    assert failure.code is ErrorCode.STALE
    assert re.search(r"clock is about \d+ seconds behind", failure.message)


def test_a_run_from_start_to_end() -> None:
    def script(peer: Peer) -> None:
        asked = peer.take("execute_workflow")
        assert asked["mode"] == "SIMULATE"
        assert asked["initial_payload"] == [1, None]
        job = asked["job_id"]
        peer.give(log(2, "another-run"))
        peer.give(status(1, "RUNNING", job, asked["request_id"]), status(1, "RUNNING", job))
        peer.give(log(2, job), log(2, job), log(3, job), batch=True)
        peer.give(status(4, "SUCCEEDED", job))

    with scripted_engine(script) as url, connect(url) as engine:
        followed = engine.run(EMPTY, initial_payload=[1, None], mode=RunMode.SIMULATE)
        events = list(followed)
        assert seqs(events) == [1, 2, 3, 4]
        assert isinstance(events[1], LogEvent)
        assert isinstance(events[3], WorkflowStatusUpdate)
        assert followed.status == "SUCCEEDED"
        assert list(followed) == []


def test_a_lost_connection_leaves_no_gap_and_no_repeat() -> None:
    def first(peer: Peer) -> None:
        job = started(peer)
        peer.give(log(2, job), log(3, job))
        peer.hang_up()

    def second(peer: Peer) -> None:
        job = resumed(peer, 3)
        peer.give(log(4, job))

    def third(peer: Peer) -> None:
        job = resumed(peer, 4)
        peer.give(log(4, job), log(5, job), status(6, "FAILED", job))

    with scripted_engine(first, second, third) as url, connect(url) as engine:
        followed = engine.run(EMPTY)
        assert seqs(followed) == [1, 2, 3, 4, 5, 6]
        assert followed.status == "FAILED"


def test_a_gap_in_the_events_is_asked_for_again() -> None:
    def script(peer: Peer) -> None:
        job = started(peer)
        peer.give(log(4, job))
        resumed(peer, 1)
        peer.give(*(log(seq, job) for seq in (2, 3, 4)), status(5, "SUCCEEDED", job))

    with scripted_engine(script) as url, connect(url) as engine:
        assert seqs(engine.run(EMPTY)) == [1, 2, 3, 4, 5]


def test_what_an_engine_cannot_tell_is_asked_for_once() -> None:
    def script(peer: Peer) -> None:
        job = started(peer)
        peer.give(log(4, job))
        resumed(peer, 1)
        unheard = {
            "type": "error",
            "code": "INTERNAL",
            "message": "An event cannot be written.",
            "job_id": job,
        }
        peer.give(unheard, log(4, job), status(5, "SUCCEEDED", job))

    with scripted_engine(script) as url, connect(url) as engine:
        assert seqs(engine.run(EMPTY)) == [1, 4, 5]


def test_a_connection_lost_before_the_answer_starts_nothing_twice() -> None:
    names: list[str] = []

    def lost(peer: Peer) -> None:
        names.append(peer.take("execute_workflow")["job_id"])
        peer.hang_up(1011)

    def answered(peer: Peer) -> None:
        asked = peer.take("execute_workflow")
        names.append(asked["job_id"])
        peer.give(status(5, "SUCCEEDED", asked["job_id"], asked["request_id"]))  # it ended in the meantime
        job = resumed(peer, 0)
        peer.give(
            status(1, "RUNNING", job), log(2, job), log(3, job), log(4, job), status(5, "SUCCEEDED", job)
        )

    with scripted_engine(lost, answered) as url, connect(url) as engine:
        assert seqs(engine.run(EMPTY)) == [1, 2, 3, 4, 5]
    assert names[0] == names[1]


def test_an_act_that_must_not_be_repeated_is_not() -> None:
    def script(peer: Peer) -> None:
        peer.take("pause_workflow")
        peer.hang_up(1011)

    with scripted_engine(script) as url, connect(url) as engine:
        failure = refused(engine.call, PauseWorkflow(job_id="x"))
    assert failure.code is ErrorCode.ENGINE_UNAVAILABLE
    assert "Whether pause_workflow was carried out is unknown" in failure.message


def test_stopping_in_the_middle() -> None:
    def script(peer: Peer) -> None:
        job = started(peer)
        asked = peer.take("stop_workflow")
        assert asked["job_id"] == job
        peer.give(log(2, job), status(3, "STOPPED", job, asked["request_id"]))

    with scripted_engine(script) as url, connect(url) as engine:
        followed = engine.run(EMPTY)
        assert followed.stop().status_data.status == "STOPPED"
        assert seqs(followed) == [1, 2, 3]
        assert followed.wait().status == "STOPPED"


def test_an_old_run_is_followed_from_its_first_event() -> None:
    def script(peer: Peer) -> None:
        assert resumed(peer, 0) == "old"
        peer.give(status(1, "RUNNING", "old"), status(2, "SUCCEEDED", "old"))

    with scripted_engine(script) as url, connect(url) as engine:
        assert seqs(engine.follow("old")) == [1, 2]


def test_events_wait_within_bounds_while_something_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "BUFFERED_EVENTS", 3)

    def script(peer: Peer) -> None:
        job = started(peer)
        asked = peer.take("list_runs")
        peer.give(*(log(seq, job) for seq in range(2, 9)))
        peer.give({"type": "runs_list_response", "runs": [], "request_id": asked["request_id"]})
        resumed(peer, 3)
        peer.give(*(log(seq, job) for seq in range(4, 9)), status(9, "SUCCEEDED", job))

    with scripted_engine(script) as url, connect(url) as engine:
        followed = engine.run(EMPTY)
        engine.runs()
        assert seqs(followed) == list(range(1, 10))


def test_an_engine_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "RECONNECT_SECONDS", 0.3)
    with ExitStack() as stack:
        with scripted_engine(lambda peer: started(peer) and None) as url:
            engine = stack.enter_context(connect(url))
            followed = engine.run(EMPTY)
        failure = refused(list, followed)
    assert failure.code is ErrorCode.ENGINE_UNAVAILABLE
    assert "No engine answers" in failure.message


def test_an_engine_that_hangs_up_at_once_is_not_stormed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "RECONNECT_SECONDS", 0.4)
    connections: list[Peer] = []

    def hang_up(peer: Peer) -> None:
        connections.append(peer)
        peer.hang_up(1013, "Too many connections")

    with scripted_engine(forever=hang_up) as url, connect(url, timeout_seconds=0.4) as engine:
        failure = refused(engine.runs)
    assert failure.code in {ErrorCode.ENGINE_UNAVAILABLE, ErrorCode.DEADLINE_EXCEEDED}
    assert 2 <= len(connections) <= 5


def test_a_run_that_takes_too_long_is_not_waited_for() -> None:
    def script(peer: Peer) -> None:
        started(peer)
        wait_for_the_end(peer)

    with scripted_engine(script) as url, connect(url) as engine:
        failure = refused(engine.run(EMPTY, timeout_seconds=0.2).wait)
    assert failure.code is ErrorCode.DEADLINE_EXCEEDED


def test_a_run_that_nobody_holds_is_forgotten() -> None:
    with scripted_engine(lambda peer: started(peer) and None) as url, connect(url) as engine:
        engine.run(EMPTY)
        gc.collect()
        assert not engine._runs
