"""The envelope of events, and answers that say what they answer."""

from __future__ import annotations

import pytest

from gateway.realtime import frames
from shared.contract.engine import LinkVitals
from shared.errors import ErrorCode, FloworkError

ERROR = FloworkError(ErrorCode.UNKNOWN_COMMAND, "no")


def test_an_envelope_is_opened() -> None:
    assert frames.open_envelope([{"v": 2, "payload": {"a": 1}}]) == {"a": 1}


@pytest.mark.parametrize(
    "frame", [None, 7, "x", [], {}, {"v": "2", "payload": {}}, {"v": 2, "payload": 1}, {"a": 1}]
)
def test_anything_else_is_refused(frame: object) -> None:
    with pytest.raises(FloworkError) as refused:
        frames.open_envelope([frame])
    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_engines_may_leave_the_envelope_out() -> None:
    assert frames.open_either([{"a": 1}]) == {"a": 1}
    assert frames.open_either([{"v": 2, "payload": {"a": 1}}]) == {"a": 1}
    with pytest.raises(FloworkError):
        frames.open_either([])


def test_a_wrong_payload_names_its_fields_but_not_what_they_held() -> None:
    with pytest.raises(FloworkError) as refused:
        frames.read(LinkVitals, {"engine_id": "e", "cpu_percent": "my secret"})
    error = refused.value
    assert {item["field"] for item in error.details} == {"cpu_percent", "memory_percent"}
    assert "my secret" not in f"{error.message}{error.details}"


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ([{"v": 2, "payload": {"job_id": "j", "request_id": "r"}}], {"job_id": "j", "request_id": "r"}),
        ([{"job_id": "j"}], {"job_id": "j"}),
        ([{"payload": {"job_id": "../j", "request_id": "r" * 81}}], {}),
        ([{"payload": 7}], {}),
        (["text"], {}),
        ([], {}),
    ],
)
def test_an_error_says_which_message_it_answers(args: list[object], ids: dict[str, str]) -> None:
    expected = {"type": "error", "code": "UNKNOWN_COMMAND", "message": "no"}
    assert frames.error_frame(ERROR, args) == expected | ids
