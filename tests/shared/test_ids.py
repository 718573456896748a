"""Identifiers: fresh ones are accepted, other spellings are not."""

from __future__ import annotations

import re
import uuid

import pytest

from shared.ids import (
    ENGINE_ID_PATTERN,
    LOCAL_ENGINE_DEFAULT,
    is_address,
    is_job_id,
    new_claim_code,
    new_engine_token,
    new_id,
    new_service_secret,
    same_address,
)

ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def test_fresh_ones_have_their_shape_and_differ() -> None:
    assert uuid.UUID(new_id()).version == 4
    assert re.fullmatch(r"dev_engine_[0-9a-f]{32}", new_engine_token())
    assert re.fullmatch(r"flork_sec_[0-9a-f]{64}", new_service_secret())
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", new_claim_code())
    for make in (new_id, new_engine_token, new_service_secret, new_claim_code):
        assert len({make() for _ in range(50)}) == 50


@pytest.mark.parametrize("text", [ADDRESS, ADDRESS.lower(), "0x" + ADDRESS[2:].upper()])
def test_addresses(text: str) -> None:
    assert is_address(text)
    assert same_address(text, ADDRESS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        ADDRESS[:-1],
        ADDRESS + "0",
        ADDRESS[2:],
        ADDRESS + "\n",
        "0X" + ADDRESS[2:],
        "0x" + "\uff11" * 40,
    ],
)
def test_no_addresses(text: str) -> None:
    assert not is_address(text)
    assert not same_address(text, ADDRESS) or text == "0X" + ADDRESS[2:]


@pytest.mark.parametrize("text", ["a", "A1", "a" * 80, "a_b-c"])
def test_job_ids(text: str) -> None:
    assert is_job_id(text)
    assert is_job_id(new_id())


@pytest.mark.parametrize("text", ["", "-a", "_a", "a" * 81, "a b", "../a", "a/b", "a.b", "a\n", "\u00e9"])
def test_no_job_ids(text: str) -> None:
    assert not is_job_id(text)


def test_engine_ids_may_be_ours_or_the_local_default() -> None:
    for text in (new_id(), LOCAL_ENGINE_DEFAULT, "e1"):
        assert re.search(ENGINE_ID_PATTERN, text)
    for text in ("", "a|b", "a b", "-a", "a" * 65):
        assert not re.search(ENGINE_ID_PATTERN, text)
