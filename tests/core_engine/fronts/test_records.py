"""What a front passes on of a message arrives whole."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from core_engine.fronts.records import Command, command_of, encode, opened_of, read_from_front
from shared.signing.envelope import OpenedMessage
from shared.signing.replay import ReplayEntry

OPENED = OpenedMessage(
    "0x" + "a" * 40, {"type": "list_runs"}, True, "m", ReplayEntry(b"k" * 32, 5), None, "0xsig", b'{"type":"list_runs"}'
)  # fmt: skip


@pytest.mark.parametrize("trace", [None, f"00-{'4b' * 16}-{'75' * 8}-01"])
def test_a_message_arrives_as_it_was_opened(trace: str | None) -> None:
    opened = replace(OPENED, traceparent=trace)
    record = read_from_front(encode(command_of(1, 2, opened)))
    assert isinstance(record, Command)
    assert opened_of(record) == opened


def test_a_trace_that_is_none_is_left_out() -> None:
    record = read_from_front(encode(command_of(1, 2, replace(OPENED, traceparent="nonsense"))))
    assert isinstance(record, Command)
    assert opened_of(record) == OPENED
