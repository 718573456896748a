"""Which pages may connect."""

from __future__ import annotations

import pytest

from core_engine.transport.origin import OriginRule

RULE = OriginRule(["https://app.example", " https://Second.example/ ", ""], "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "origins",
    [
        [],
        ["https://app.example"],
        ["https://second.example"],
        ["http://127.0.0.1:8000"],
        ["http://localhost:8000"],
        ["http://[::1]:8000"],
    ],
)
def test_allowed(origins: list[str]) -> None:
    assert RULE.allows(origins)


@pytest.mark.parametrize(
    "origins",
    [
        ["null"],
        [""],
        ["http://evil.example"],
        ["http://app.example"],
        ["https://app.example.evil.example"],
        ["https://app.example:444"],
        ["http://localhost:8001"],
        ["http://127.0.0.1"],
        ["https://app.example", "http://evil.example"],
        ["https://app.example https://evil.example"],
    ],
)
def test_refused(origins: list[str]) -> None:
    assert not RULE.allows(origins)


def test_a_public_gateway_brings_only_its_own_origin() -> None:
    rule = OriginRule([], "https://gateway.example/")
    assert rule.allows(["https://gateway.example"])
    assert not rule.allows(["https://localhost"])


def test_without_a_gateway_only_programs_connect() -> None:
    rule = OriginRule([], "")
    assert rule.allows([])
    assert not rule.allows(["http://localhost:8000"])
    assert not rule.allows(["://"])


def test_a_page_stands_where_an_allowed_origin_is() -> None:
    for ours in ("app.example", "Second.example", "127.0.0.1:8000", "localhost:8000"):
        assert RULE.has_page(ours), ours
    for foreign in ("evil.example", "app.example:8443", "127.0.0.1", "", "app.example/x"):
        assert not RULE.has_page(foreign), foreign
