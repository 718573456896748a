"""The key of share links: made once, kept from others, the same for gateways that share a secret."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.auth.share_tokens import ShareTokens
from shared.errors import ErrorCode, FloworkError
from tests.gateway.support import settings


def opened(folder: Path, **environ: str) -> ShareTokens:
    (folder / "gateway").mkdir(parents=True, exist_ok=True)
    return ShareTokens.open(settings(folder, **environ))


def test_tokens_stay_the_same_over_restarts_and_differ_by_link(tmp_path: Path) -> None:
    first = opened(tmp_path).token("a")
    assert opened(tmp_path).token("a") == first
    assert opened(tmp_path).token("b") != first
    assert opened(tmp_path / "other").token("a") != first
    assert len(first) == 32


def test_the_shared_secret_makes_the_key(tmp_path: Path) -> None:
    one = opened(tmp_path / "one", GATEWAY_SECRET_TOKEN="s" * 40).token("a")
    assert opened(tmp_path / "two", GATEWAY_SECRET_TOKEN="s" * 40).token("a") == one
    assert opened(tmp_path / "two", GATEWAY_SECRET_TOKEN="t" * 40).token("a") != one


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    with ThreadPoolExecutor(8) as starts:
        tokens = set(starts.map(lambda _: opened(tmp_path).token("a"), range(32)))
    assert len(tokens) == 1
    assert [file.name for file in (tmp_path / "gateway").iterdir()] == ["share.key"]


def test_a_damaged_key_is_not_used(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "gateway" / "share.key").write_bytes(b"short")
    with pytest.raises(FloworkError) as refused:
        opened(tmp_path)
    assert refused.value.code is ErrorCode.CONFIGURATION
