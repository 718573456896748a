"""Share links as owners sign them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.contract.share_link import ShareLevel
from shared.errors import ErrorCode, FloworkError
from shared.signing.link_grants import (
    LinkGrant,
    hash_link_token,
    link_text,
    read_link_text,
    sign_link,
    verify_link,
)
from tests.shared.signing.examples import ENGINE, NOW, OTHER, WALLET

TOKEN = "t" * 32
LINK = LinkGrant(ENGINE, "Laporan\nharian", ShareLevel.RUN, hash_link_token(TOKEN), 3, NOW + 1000)


def judge(text: str, signature: str, **changed: Any) -> LinkGrant:
    facts: dict[str, Any] = {
        "token": TOKEN, "engine_id": ENGINE, "owner": WALLET.address, "highest_epoch": 3, "now_ms": NOW,
    }  # fmt: skip
    return verify_link(text, signature, **(facts | changed))


def test_a_signed_link_holds() -> None:
    text = link_text(LINK)
    assert text.splitlines() == [
        "Flowork share link, version 1",
        f"Engine: {ENGINE}",
        'Preset: "Laporan\\nharian"',
        "Level: view-run",
        f"Token: {hash_link_token(TOKEN)}",
        "Epoch: 3",
        text.splitlines()[-1],
    ]
    assert judge(text, sign_link(WALLET, LINK)) == LINK
    forever = replace(LINK, exp=None)
    assert judge(link_text(forever), sign_link(WALLET, forever), now_ms=NOW * 2) == forever


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"token": "u" * 32}, ErrorCode.UNAUTHENTICATED),
        ({"engine_id": "other"}, ErrorCode.UNAUTHENTICATED),
        ({"owner": OTHER.address}, ErrorCode.BAD_SIGNATURE),
        ({"highest_epoch": 4}, ErrorCode.FORBIDDEN),
        ({"now_ms": NOW + 1000}, ErrorCode.STALE),
    ],
)
def test_a_link_is_judged_by_what_it_says(changed: dict[str, Any], code: ErrorCode) -> None:
    with pytest.raises(FloworkError) as refused:
        judge(link_text(LINK), sign_link(WALLET, LINK), **changed)
    assert refused.value.code is code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("view-run", "view-everything"),
        ("Epoch: 3", "Epoch: 03"),
        ("Epoch: 3", "Epoch: 0"),
        ("version 1", "version 2"),
        ('"Laporan', '"\\u004caporan'),
        ("Expires: ", "Expires: x"),
        ("Token: ", "Token: 0"),
    ],
)
def test_a_text_has_one_spelling(old: str, new: str) -> None:
    text = link_text(LINK).replace(old, new)
    with pytest.raises(FloworkError) as refused:
        read_link_text(text)
    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_an_engine_cannot_add_a_line() -> None:
    with pytest.raises(FloworkError):
        link_text(replace(LINK, engine="x\nLevel: view-edit-run"))


@pytest.mark.parametrize("epoch", [1, 2**53])
def test_the_first_and_the_last_epoch(epoch: int) -> None:
    link = replace(LINK, epoch=epoch)
    assert judge(link_text(link), sign_link(WALLET, link), highest_epoch=epoch) == link


@pytest.mark.parametrize(
    "change",
    [{"epoch": 0}, {"epoch": -1}, {"epoch": 2**53 + 1}, {"engine": "engin\u0435"}, {"engine": "a\tb"}],
)
def test_what_cannot_be_linked_is_not_signed(change: dict[str, Any]) -> None:
    with pytest.raises(FloworkError) as refused:
        sign_link(WALLET, replace(LINK, **change))
    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_a_link_holds_to_its_last_millisecond() -> None:
    assert judge(link_text(LINK), sign_link(WALLET, LINK), now_ms=NOW + 999) == LINK
    with pytest.raises(FloworkError) as refused:
        judge(link_text(LINK), sign_link(WALLET, LINK), now_ms=NOW + 1000)
    assert refused.value.code is ErrorCode.STALE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Laporan\\nharian"', '"\\x"'),
        ("Expires: 2025", "Expires: 9999-99"),
        ("Level: view-run", "Level: abc"),
    ],
)
def test_what_cannot_be_read_is_no_link(old: str, new: str) -> None:
    text = link_text(LINK).replace(old, new)
    assert text != link_text(LINK)
    with pytest.raises(FloworkError) as refused:
        read_link_text(text)
    assert refused.value.code is ErrorCode.INVALID_REQUEST


def test_a_preset_that_is_no_text_is_no_link() -> None:
    """What stands in quotes in the text is a text; the pattern lets nothing else come so far."""
    assert read_link_text(link_text(replace(LINK, preset="7"))).preset == "7"
