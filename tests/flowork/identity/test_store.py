"""Key files: encrypted, private, never overwritten, readable by other wallets."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from flowork.identity import store as module
from flowork.identity.choice import choose_key
from flowork.identity.store import IdentityStore
from flowork.settings import Identities
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey

PASSPHRASE = "correct horse"
KEY = WalletKey.from_hex("0x" + "11" * 32)


def nobody(question: str) -> str:
    raise AssertionError(f"asked: {question}")


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORK_FACTOR", 2**10)


def test_guessing_a_passphrase_is_dear(tmp_path: Path) -> None:
    saved = IdentityStore(tmp_path).save("me", KEY, PASSPHRASE)
    crypto = json.loads(saved.path.read_text())["crypto"]
    assert (crypto["kdf"], crypto["kdfparams"]["n"], crypto["kdfparams"]["r"]) == ("scrypt", 2**18, 8)


@pytest.mark.usefixtures("_quick")
def test_a_saved_key_is_private_and_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    store = IdentityStore(tmp_path / "deep" / "identities")
    saved = store.save("me", KEY, PASSPHRASE)
    assert stat.S_IMODE(saved.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(saved.path.parent.stat().st_mode) == 0o700
    text = saved.path.read_text()
    assert KEY.private_key_hex()[2:] not in text
    assert [item.address for item in store.listing()] == [KEY.address]
    assert bytes(Account.decrypt(text, PASSPHRASE)).hex() == "11" * 32, "another wallet cannot read it"
    with pytest.raises(FloworkError) as wrong:
        store.unlock(saved, "wrong horse")
    assert wrong.value.code is ErrorCode.UNAUTHENTICATED
    with pytest.raises(FloworkError) as taken:
        store.save("me", KEY, PASSPHRASE)
    assert taken.value.code is ErrorCode.CONFLICT
    assert saved.path.read_text() == text
    assert sorted(path.name for path in saved.path.parent.iterdir()) == ["me.json"]
    settings = Identities(home=tmp_path / "deep", passphrase=PASSPHRASE)
    assert choose_key(settings, None, nobody).address == KEY.address
    with_key = Identities(home=tmp_path / "deep", private_key="0x" + "22" * 32, passphrase=PASSPHRASE)
    assert choose_key(with_key, "me", nobody).address == KEY.address


@pytest.mark.parametrize("name", ["../x", "", "a/b", ".hidden", "x" * 41, "ä"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(FloworkError) as caught:
        IdentityStore(tmp_path).save(name, KEY, PASSPHRASE)
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert not list(tmp_path.iterdir())


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FloworkError, match="8 characters"):
        IdentityStore(tmp_path).save("me", KEY, "short")
    assert not list(tmp_path.iterdir())


def test_foreign_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("not json")
    (tmp_path / "c.json").write_text('{"address": "12"}')
    (tmp_path / "d.txt").write_text("x")
    assert IdentityStore(tmp_path).listing() == []


def test_which_identity(tmp_path: Path) -> None:
    folder = tmp_path / "identities"
    folder.mkdir()

    def names(*given: str) -> None:
        for name in given:
            (folder / f"{name}.json").write_text(json.dumps({"address": KEY.address[2:]}))

    with pytest.raises(FloworkError, match="identity create"):
        choose_key(Identities(home=tmp_path), None, nobody)
    names("one", "two")
    with pytest.raises(FloworkError, match="one, two"):
        choose_key(Identities(home=tmp_path), None, nobody)
    with pytest.raises(FloworkError, match="'three'"):
        choose_key(Identities(home=tmp_path, name="three"), None, nobody)
    key = choose_key(Identities(home=tmp_path, private_key="0x" + "22" * 32), None, nobody)
    assert key.address == WalletKey.from_hex("22" * 32).address
