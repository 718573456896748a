"""The line with the claim link that an engine prints at its start."""

from __future__ import annotations

import pytest

from core_engine.access.invitation import claim_line
from core_engine.settings import PREFIXES, EngineSettings
from flowork.client.claim_link import ClaimLink
from shared.settings import load

GIVEN = {
    "FLOWORK_ENGINE_ID": "engine-1",
    "FLOWORK_CLAIM_CODE": "one-time-code_1",
    "ENGINE_CLAIM_PAGE": "https://api.example.org/",
}


def line(environ: dict[str, str], owner: str | None = None) -> str | None:
    return claim_line(load(EngineSettings, environ, prefixes=PREFIXES).identity, owner)


def test_the_link_is_one_that_the_command_line_takes() -> None:
    text = line(GIVEN)
    assert text is not None
    link = ClaimLink.parse(text.rpartition(" ")[2])
    assert (link.gateway_url, link.code, link.engine_id) == (
        "https://api.example.org",
        "one-time-code_1",
        "engine-1",
    )


def test_an_engine_with_an_owner_prints_none() -> None:
    assert line(GIVEN, owner="0x" + "1" * 40) is None


@pytest.mark.parametrize("missing", ["FLOWORK_CLAIM_CODE", "ENGINE_CLAIM_PAGE"])
def test_without_code_or_page_there_is_none(missing: str) -> None:
    assert line({**GIVEN, missing: ""}) is None
