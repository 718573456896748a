"""The seal of messages between gateway processes."""

from __future__ import annotations

import json

import pytest

from gateway.cluster.sealed_json import SealedJson

MESSAGE = {"method": "emit", "data": [{"text": "ä"}], "room": None}


def test_who_has_the_secret_reads_what_was_written() -> None:
    assert SealedJson("secret").loads(SealedJson("secret").dumps(MESSAGE)) == MESSAGE


def test_nobody_else_is_believed() -> None:
    sealed = SealedJson("secret").dumps(MESSAGE)
    changed = bytes((sealed[0] ^ 1,)) + sealed[1:]
    for other in (b"", sealed[:31], sealed[:-1], changed, sealed + b" ", json.dumps(MESSAGE).encode()):
        with pytest.raises(ValueError, match="no process of this gateway"):
            SealedJson("secret").loads(other)
    with pytest.raises(ValueError, match="no process of this gateway"):
        SealedJson("Secret").loads(sealed)
