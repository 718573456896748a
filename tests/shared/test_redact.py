"""Redaction: secrets do not come through, what is needed to understand a log does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import redact as module
from shared.ids import new_claim_code, new_engine_token, new_service_secret
from shared.redact import MASK, redact, redact_text
from shared.signing.keys import WalletKey

KEY = WalletKey(b"\x05" * 32)
SECRETS = {
    "engine token": new_engine_token(),
    "service secret": new_service_secret(),
    "private key": KEY.private_key_hex(),
    "signature": KEY.sign_text("x"),
    "bearer": "Bearer abc.def-ghi_123==",
    "shortest": "Bearer x",
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_masked_wherever_they_stand(name: str) -> None:
    secret = SECRETS[name]
    for text in (secret, f"before {secret} after", f'{{"x":"{secret}"}}', f"a={secret}\n"):
        masked = redact_text(text)
        assert MASK in masked
        assert secret not in masked
        assert secret[-12:] not in masked


def test_a_claim_code_in_a_link_is_masked_and_the_rest_of_the_link_stays() -> None:
    code = new_claim_code()
    link = redact_text(f"http://127.0.0.1:8000/#claim={code}&engine=e-1")
    assert link == f"http://127.0.0.1:8000/#claim={MASK}&engine=e-1"


@pytest.mark.parametrize("text", [KEY.address, "engine-1", "job 0x12", "0x" + "ab" * 20, "plain text", ""])
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "name",
    ["token", "engine_token", "SECRET", "password", "passphrase", "private_key", "privateKey", "mnemonic", "api_key",
     "X-API-Key", "apikey", "Authorization", "X-Signature", "cookie", "claim_code"],
)  # fmt: skip
def test_members_with_secret_names_are_masked(name: str) -> None:
    value: Any = {"outer": [{name: "visible?", "other": "kept"}], "n": 5, "none": None}
    masked = redact(value)
    assert (masked["outer"][0].get(name), masked["outer"][0]["other"]) == (MASK, "kept")
    assert (masked["n"], masked["none"]) == (5, None)
    assert value["outer"][0][name] == "visible?"  # a copy


@given(secret=st.sampled_from(list(SECRETS.values())), before=st.text(max_size=10), place=st.integers(0, 3))
def test_no_shape_of_value_lets_a_secret_through(secret: str, before: str, place: int) -> None:
    text = f"{before} {secret}"
    value: Any = [text, {"a": text}, [[text]], {"a": ({"b": text},)}][place]
    assert secret not in str(redact(value))


_LONG = ("0x" + "a" * 64, "0X" + "a" * 64, "0x" + "A" * 65, "f" * 130, "x0x" + "1" * 64, "0x" + "b" * 40)
_WORDS = ("Bearer", "bearer ", " ", "\n", "claim=", "claim", "=abcdefgh", "·", "a", "g", "0x")
_TOKENS = ("dev_engine_", "flork_sec_", "0" * 32, "0123456789abcdef")


@given(st.lists(st.sampled_from(_LONG + _WORDS + _TOKENS), max_size=8).map("".join))
def test_the_quick_look_misses_nothing(text: str) -> None:
    assert redact_text(text) == module._SECRET_SHAPE.sub(MASK, text)
