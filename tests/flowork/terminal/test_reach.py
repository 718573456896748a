"""Which engine is meant."""

from __future__ import annotations

import pytest

from flowork.terminal.reach import pick_engine
from shared.contract.engine import Engine
from shared.errors import ErrorCode, FloworkError

HOME = Engine(id="id-1", name="Home", status="offline", last_seen=None)
WORK = Engine(id="id-2", name="Work", status="online", last_seen=None)
TWIN = Engine(id="id-3", name="Work", status="offline", last_seen=None)


def test_by_id_by_name_the_only_one_the_only_one_online() -> None:
    assert pick_engine([HOME, WORK], "id-1") == "id-1"
    assert pick_engine([HOME, WORK], "Work") == "id-2"
    assert pick_engine([HOME], None) == "id-1"
    assert pick_engine([HOME, WORK, TWIN], None) == "id-2"


@pytest.mark.parametrize(
    ("engines", "wanted", "code"),
    [
        ([], None, ErrorCode.NOT_FOUND),
        ([HOME], "nope", ErrorCode.NOT_FOUND),
        ([WORK, TWIN], "Work", ErrorCode.INVALID_REQUEST),
        ([HOME, TWIN], None, ErrorCode.INVALID_REQUEST),
    ],
)
def test_a_doubt_is_an_error_that_helps(engines: list[Engine], wanted: str | None, code: ErrorCode) -> None:
    with pytest.raises(FloworkError) as caught:
        pick_engine(engines, wanted)
    assert caught.value.code is code
