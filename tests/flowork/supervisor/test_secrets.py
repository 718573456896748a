"""The platform's secrets: made once, private, burnt where they are one-time."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from flowork.supervisor import secrets
from shared.errors import ErrorCode, FloworkError


def test_they_are_made_once_and_stay(tmp_path: Path) -> None:
    made = secrets.load_or_create(tmp_path)
    assert made.service_secret.startswith("flork_sec_")
    assert made.engine_token.startswith("dev_engine_")
    assert secrets.load_or_create(tmp_path) == made
    assert stat.S_IMODE((tmp_path / secrets.FILE).stat().st_mode) == 0o600
    assert made.engine_token not in repr(made)
    assert made.claim_code not in repr(made)


def test_the_claim_code_is_burnt_alone(tmp_path: Path) -> None:
    made = secrets.load_or_create(tmp_path)
    secrets.burn_claim(tmp_path)
    burnt = secrets.load_or_create(tmp_path)
    assert (burnt.claim_code, burnt.engine_token) == ("", made.engine_token)


def test_the_users_own_win(tmp_path: Path) -> None:
    made = secrets.load_or_create(tmp_path)
    own = secrets.adopt(made, {"GATEWAY_SECRET_TOKEN": "mine", "FLOWORK_ENGINE_ID": ""})
    assert (own.service_secret, own.engine_id) == ("mine", made.engine_id)
    assert secrets.load_or_create(tmp_path) == made


@pytest.mark.parametrize("text", ["", "[]", '{"service_secret": "x"}', '{"a": 1}'])
def test_a_damaged_file_is_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / secrets.FILE).write_text(text)
    with pytest.raises(FloworkError) as caught:
        secrets.load_or_create(tmp_path)
    assert caught.value.code is ErrorCode.CONFIGURATION
    assert (tmp_path / secrets.FILE).read_text() == text
