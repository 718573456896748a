"""What a failure tells."""

from __future__ import annotations

import pytest

from core_engine.kernel.payload import Payload
from core_engine.workflow.failures import describe, error_payload, mask, mask_start
from core_engine.workflow.parse import parse_workflow
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Registry, chain


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("it broke"), ("COMPONENT_FAILED", "it broke")),
        (KeyError("city"), ("COMPONENT_FAILED", "KeyError: 'city'")),
        (ValueError(), ("COMPONENT_FAILED", "ValueError")),
        (SystemExit(3), ("COMPONENT_FAILED", "3")),
        (FloworkError(ErrorCode.FORBIDDEN, "not you"), ("FORBIDDEN", "not you")),
        (ValueError("bad \ud800"), ("COMPONENT_FAILED", "bad ?")),
    ],
)
def test_the_text_is_the_errors_own(error: BaseException, expected: tuple[str, str]):
    assert describe(error, []) == expected


@pytest.mark.parametrize("most", [10, 100, 1000])
def test_a_long_text_is_cut_without_half_a_secret(most: int):
    secrets = ["abcdefghijklmnop", "zyxwvutsrq"]
    for size in range(2 * most - 20, 2 * most + 20):
        for text in ("abcdefghijklmnop" * size, "." * size + "zyxwvutsrq" + "." * most, "zyxwvutsrq " * size):
            told = mask_start(text, secrets, most)
            assert len(told) <= most
            assert set(told) <= set("•. "), told[-30:]
    assert mask_start("a short one", secrets, 100) == "a short one"


def test_secrets_do_not_get_out():
    token = "dev_engine_" + "0" * 32
    _, text = describe(ValueError(f"401 for {token} and p4ss and p4ssw0rd, x"), ["p4ss", "p4ssw0rd", "x"])
    assert text == "401 for ••• and ••• and •••, x"
    assert mask("abc", []) == "abc"


def test_long_texts_are_cut():
    assert len(describe(ValueError("x" * 100_000), [])[1]) == 4001


def test_the_error_port_tells_what_failed_and_what_was_given():
    node = parse_workflow(chain(1), Registry()).nodes[0]
    payload = error_payload(node, "FORBIDDEN", "not you", 2, Payload({"a": 1}, ["h"]))
    assert payload.history == ["h"]
    assert payload.data == {
        "error": "not you", "code": "FORBIDDEN", "node_id": "n0", "node_name": "N0", "attempt": 2, "input": {"a": 1},
    }  # fmt: skip
    assert error_payload(node, "X", "y", 1, None).data["input"] is None
