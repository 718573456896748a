"""The error table: complete, consistent, and the same error on each edge."""

from __future__ import annotations

import pytest

from shared.errors import ERROR_TABLE, ErrorCode, FloworkError


def test_every_code_has_a_row_and_every_row_a_code() -> None:
    assert set(ERROR_TABLE) == set(ErrorCode)
    assert all(code.value == code.name for code in ErrorCode)


@pytest.mark.parametrize("code", ErrorCode)
def test_a_row_can_be_sent(code: ErrorCode) -> None:
    meaning = ERROR_TABLE[code]
    assert 400 <= meaning.http <= 599
    assert 64 <= meaning.exit <= 78
    assert meaning.text.endswith(".")
    assert not meaning.retryable or meaning.http in {429, 503, 504, 507}


def test_the_documented_statuses_hold() -> None:
    expected = {
        ErrorCode.UNAUTHENTICATED: 401,
        ErrorCode.BAD_SIGNATURE: 401,
        ErrorCode.STALE: 401,
        ErrorCode.REPLAYED: 409,
        ErrorCode.FORBIDDEN: 403,
        ErrorCode.NOT_FOUND: 404,
        ErrorCode.RATE_LIMITED: 429,
    }
    assert {code: ERROR_TABLE[code].http for code in expected} == expected


def test_an_error_as_rest_body() -> None:
    error = FloworkError(ErrorCode.NOT_FOUND, "No such engine.")
    assert error.as_http_body() == {"error": "No such engine.", "code": "NOT_FOUND"}
    detailed = FloworkError(ErrorCode.INVALID_REQUEST, "Wrong.", details=[{"field": "name"}])
    assert detailed.as_http_body()["details"] == [{"field": "name"}]
    assert str(error) == error.message
    assert error.meaning is ERROR_TABLE[ErrorCode.NOT_FOUND]


def test_an_error_as_frame() -> None:
    error = FloworkError(ErrorCode.RATE_LIMITED, "Slow down.", details={"limit": 5}, retry_after=1.5)
    frame = {"type": "error", "code": "RATE_LIMITED", "message": "Slow down.", "details": {"limit": 5}}
    assert error.as_frame() == frame
    assert error.as_frame(job_id="j", request_id="r") == frame | {"job_id": "j", "request_id": "r"}
    assert error.retry_after == 1.5
