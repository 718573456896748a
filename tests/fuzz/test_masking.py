"""Z13: a secret is masked in whatever it stands, in each spelling that gives it away."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st

from core_engine.variables.hiding import SHORTEST, hidden_texts
from core_engine.workflow.failures import mask, mask_value

SECRETS = st.text(st.characters(codec="utf-8"), min_size=SHORTEST, max_size=40).filter(
    lambda text: len(set(text)) > 3 and "•" not in text
)
PLAIN = st.text("ghijk ", max_size=8)


def forms(secret: str) -> list[str]:
    raw = secret.encode()
    return [
        secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe=""),
        raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("="),
    ]  # fmt: skip


@settings(max_examples=300)
@given(SECRETS, PLAIN, PLAIN, st.integers(0, 6))
def test_z13_every_form_in_every_text(secret: str, before: str, after: str, which: int) -> None:
    form = forms(secret)[which]
    told = mask(f"{before}{form}{after}", hidden_texts([secret]))
    assert form.rstrip("=") not in told
    assert "•••" in told


@settings(max_examples=200)
@given(SECRETS, st.lists(st.integers(0, 2), max_size=4), st.integers(0, 6))
def test_z13_every_form_in_every_value(secret: str, nesting: list[int], which: int) -> None:
    value: Any = f"x {forms(secret)[which]} y"
    for kind in nesting:
        value = [[value], {"k": value}, {str(value): 1}][kind] if isinstance(value, str) else [value]
    told = json.dumps(mask_value(value, hidden_texts([secret])), ensure_ascii=False)
    assert "•••" in told


@settings(max_examples=200)
@given(SECRETS, SECRETS, PLAIN)
def test_z13_secrets_beside_and_inside_one_another(one: str, other: str, between: str) -> None:
    hidden = hidden_texts([one, other, one + other])
    told = mask(f"{one}{between}{other} {one}{other}", hidden)
    assert one not in told
    assert other not in told
