"""The JSON of Socket.IO packets."""

from __future__ import annotations

import pytest

from gateway.realtime import wire_json


def test_it_is_compact_and_keeps_letters() -> None:
    assert wire_json.dumps(["ä", {"b": None}], separators=(",", ":")) == '["ä",{"b":null}]'
    assert wire_json.loads('["ä", {"b": null}]') == ["ä", {"b": None}]


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "[" * 100_000, "", "{", '"\ud800"', "1 2"])
def test_what_is_not_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        wire_json.loads(text)
