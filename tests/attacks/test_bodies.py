"""A35, A36, A37, A47, A114: bodies and proofs in another form than the contract's, at every operation."""

from __future__ import annotations

import gzip
import uuid
import zlib
from collections.abc import Iterator

import pytest

from shared.contract import catalog
from shared.contract.base import Auth, Operation
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process

OPERATIONS = list(catalog.operations().values())
WITH_BODY = [item for item in OPERATIONS if item.method in {"POST", "PUT", "PATCH"} and item.body is not None]
BOMB = b'{"name": "' + b"a" * 5_000_000 + b'"}'
MULTIPART = b"\r\n".join(
    [
        b"--x",
        b'Content-Disposition: form-data; name="files"; filename="../../CON.txt"',
        b"",
        b"{}",
        b"--x--",
        b"",
    ]
)
# What a page of anybody may send without being asked first, and what claims to be something else.
BODIES = {
    "text": (b'{"name":"x"}', {"Content-Type": "text/plain"}),
    "form": (b"name=x", {"Content-Type": "application/x-www-form-urlencoded"}),
    "multipart": (MULTIPART, {"Content-Type": "multipart/form-data; boundary=x"}),
    "xml": (b"<name>x</name>", {"Content-Type": "application/xml"}),
    "gzip": (gzip.compress(BOMB), {"Content-Type": "application/json", "Content-Encoding": "gzip"}),
    "deflate": (zlib.compress(BOMB), {"Content-Type": "application/json", "Content-Encoding": "deflate"}),
    "unnamed": (b'{"name":"x"}', {"Content-Type": ""}),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with in_process(tmp_path_factory.mktemp("bodies")) as running:
        yield running


@pytest.fixture(scope="module")
def owner() -> WalletKey:
    return WalletKey.create()[0]


def target(operation: Operation) -> str:
    path = operation.path
    while "{" in path:
        path = path[: path.index("{")] + str(uuid.uuid4()) + path[path.index("}") + 1 :]
    return f"/api/v1{path}"


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda item: item.name)
def test_a36_a37_a114_only_plain_json_is_taken(
    gateway: Gateway, owner: WalletKey, operation: Operation
) -> None:
    path = target(operation)
    seen = {}
    for kind, (body, headers) in BODIES.items():
        signed = gateway.headers(owner, operation.method, path, body)
        seen[kind] = gateway.send(operation.method, path, body, signed | headers).status_code
    # 503 is what operations of an engine say while it is away.
    assert {kind: status for kind, status in seen.items() if not (400 <= status < 500 or status == 503)} == {}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda item: item.name)
def test_a47_a_proof_in_the_address_is_none(gateway: Gateway, owner: WalletKey, operation: Operation) -> None:
    if operation.auth is Auth.NONE:
        return
    proof = gateway.headers(owner, operation.method, target(operation))
    proof |= {
        "X-Engine-Id": gateway.bundled_id,
        "X-Engine-Token": gateway.bundled_token,
        "token": gateway.bundled_token,
    }
    query = "&".join(f"{name}={value}" for name, value in proof.items() if value.isalnum() or "-" in value)
    answer = gateway.send(operation.method, f"{target(operation)}?{query}")
    assert answer.status_code == 401
