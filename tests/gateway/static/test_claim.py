"""The claim helper of the page, run by a real JavaScript engine and judged by the real verifiers."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from gateway.web.pages import STATIC
from shared.signing.claims import claim_proof
from shared.signing.keys import WalletKey
from shared.signing.recover import recover_text
from shared.signing.rest import verify_request
from tests.support import node

NOW = 1_766_000_000_000
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SCRIPT = """
import * as claim from "%s";
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (value) => console.log(JSON.stringify(value));
const hear = async () => JSON.parse((await lines.next()).value);
%s
"""


def run(script: str, *replies: Any) -> list[Any]:
    """Run a script beside the helper; what it says comes back, what it hears are the replies."""
    source = SCRIPT % ((STATIC / "claim.js").as_uri(), script)
    done = subprocess.run(
        ["node", "--input-type=module", "--eval", source],
        input="\n".join(json.dumps(reply) for reply in replies),
        capture_output=True,
        text=True,
        timeout=60,
        env=node._environment("the claim helper of the plain page"),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("fragment", "read"),
    [
        ("#claim=abc-DEF_12&engine=eng-1", {"code": "abc-DEF_12", "engineId": "eng-1"}),
        ("#engine=eng-1&claim=abcdefgh", {"code": "abcdefgh", "engineId": "eng-1"}),
        ("", None),
        ("#main", None),
        ("#claim=short&engine=e", {"damaged": True}),
        ("#claim=abcdefgh", {"damaged": True}),
        ("#engine=eng-1", {"damaged": True}),
        ("#claim=abcdefgh';rm -rf ~;'&engine=e", {"damaged": True}),
        ("#claim=abcdefgh%0Aid&engine=e", {"damaged": True}),
        ("#claim=abcdefgh&engine=$(id)", {"damaged": True}),
        ("#claim=abcdefgh&engine=../x", {"damaged": True}),
    ],
)
def test_only_a_link_of_the_exact_shape_becomes_a_command(fragment: str, read: Any) -> None:
    assert run(f"say(claim.readClaim({json.dumps(fragment)}))") == [read]


def test_the_command() -> None:
    script = 'say(claim.claimCommand("http://127.0.0.1:8000", { code: "abcdefgh", engineId: "eng-1" }))'
    assert run(script) == ["flowork claim 'http://127.0.0.1:8000/#claim=abcdefgh&engine=eng-1'"]


def test_the_proof_is_the_one_engines_judge(wallet: WalletKey) -> None:
    script = """
    const [code, engineId, address] = await hear();
    say(await claim.claimProof(webcrypto.subtle, { code, engineId }, address));
    """
    assert run(script, ["the-code", "eng-1", wallet.address]) == [
        claim_proof("the-code", wallet.address, "eng-1")
    ]


def spellings(signature: str) -> list[str]:
    """Return one signature as different wallets write it."""
    r, s, v = signature[2:66], int(signature[66:130], 16), int(signature[130:], 16)
    high = f"{ORDER - s:064x}"
    return [
        signature,
        f"0x{r}{s:064x}{v - 27:02x}",
        f"0x{r}{high}{55 - v:02x}",
        f"0x{r}{high}{28 - v:02x}",
        "0x" + signature[2:].upper(),
    ]


def test_every_spelling_of_a_signature_becomes_the_accepted_one(wallet: WalletKey) -> None:
    for text in ("a", "b", "c", "d"):
        signature = wallet.sign_text(text)
        written = spellings(signature)
        script = "for (const each of await hear()) say(claim.canonicalSignature(each));"
        assert run(script, written) == [signature] * len(written)
        assert recover_text(text, signature) == wallet.address.lower()


def test_a_signature_of_another_kind_is_refused() -> None:
    script = (
        'try { claim.canonicalSignature("0x" + "0".repeat(200)); } catch (problem) { say(problem.message); }'
    )
    assert run(script) == ["The wallet gave a signature of another kind than an ordinary account's."]


SIGN = """
const [address, signature, now] = await hear();
const wallet = {
  async request({ method, params }) {
    if (method === "eth_requestAccounts") return [address];
    say(params);
    return signature;
  },
};
const crypto = { subtle: webcrypto.subtle, getRandomValues: (room) => room.fill(7) };
say(await claim.signClaim(crypto, wallet, { code: "the-code", engineId: "eng-1" }, now));
"""


def test_a_wallet_signs_a_request_that_the_gateway_accepts(wallet: WalletKey) -> None:
    asked = run(SIGN, [wallet.address, "0x" + "1" * 130, NOW])[0]
    text = bytes.fromhex(asked[0].removeprefix("0x")).decode()
    assert asked[1] == wallet.address
    _, request = run(SIGN, [wallet.address, spellings(wallet.sign_text(text))[1], NOW])
    options = request["options"]
    verified = verify_request(
        options["headers"],
        options["method"],
        request["path"],
        options["body"].encode(),
        now_ms=NOW,
        form="bound",
    )
    assert verified.bound
    assert verified.address == wallet.address.lower()
    proof = claim_proof("the-code", wallet.address, "eng-1")
    assert json.loads(options["body"]) == {"engine_id": "eng-1", "proof": proof}
    assert "the-code" not in json.dumps(request)
