"""``flowork identity``: the whole life of a key file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowork.cli import cli
from flowork.identity import store
from shared.signing.keys import WalletKey

WORDS = "test test test test test test test test test test test junk"
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOWORK_PASSPHRASE", "correct horse")
    monkeypatch.setattr(store, "WORK_FACTOR", 2**10)


def flowork(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=typed)


def test_create_show_export_remove() -> None:
    created = flowork("identity", "create", "--json")
    assert created.exit_code == 0, created.output
    made = json.loads(created.output)
    assert WalletKey.from_words(made["words"]).address == made["address"]
    assert flowork("identity", "show").stdout == f"{made['address']}  (default)\n"
    again = flowork("identity", "create")
    assert again.exit_code == 73
    exported = flowork("identity", "export", "--yes", "--json")
    assert WalletKey.from_hex(json.loads(exported.output)["private_key"]).address == made["address"]
    kept = flowork("identity", "remove", "default", typed="n\n")
    assert kept.exit_code == 130
    gone = flowork("identity", "remove", "default", typed="y\n")
    assert gone.exit_code == 0
    assert json.loads(flowork("identity", "list", "--json").output) == []
    assert flowork("identity", "show").exit_code == 77


def test_import_of_words_and_of_a_key(tmp_path: Path) -> None:
    assert (
        flowork("identity", "import", "words", typed=f"  {WORDS.upper()} \n").stdout
        == f"{ADDRESS}  (words)\n"
    )
    assert "words" in flowork("identity", "list").stdout
    bad = flowork("identity", "import", "other", typed="0x12\n")
    assert bad.exit_code == 65
    assert not (tmp_path / "home" / "identities" / "other.json").exists()


def test_nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWORK_PASSPHRASE")
    result = flowork("identity", "create", "new")
    assert result.exit_code == 78
    assert "FLOWORK_PASSPHRASE" in result.stderr


def test_the_environments_key_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWORK_PRIVATE_KEY", "11" * 32)
    assert flowork("identity", "show").stdout.endswith("(from FLOWORK_PRIVATE_KEY)\n")
