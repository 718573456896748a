"""The envelope of the raw engine socket: what opens, what is refused, and that nothing opens twice."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shared.errors import ErrorCode
from shared.signing.envelope import EnvelopeVerifier, OpenedMessage, replay_key, seal
from shared.signing.replay import ReplayWindow, UncheckedReplays
from tests.shared.signing.examples import (
    ENGINE,
    FULL_WIDTH,
    NOW,
    OTHER,
    SECONDS,
    SESSION,
    WALLET,
    delegate,
    frame,
    outcome,
    refused,
    spellings,
    standing,
    vectors,
    verifier,
)

DOCUMENTED = f"flowork_socket_auth|{WALLET.address}|{SECONDS}"
PAYLOAD = {"type": "execute_workflow", "job_id": "j-1", "initial_payload": {"text": "héllo 😀"}}


def sealed(payload: Any = None, *, engine: str = ENGINE, now_ms: int = NOW) -> str:
    return seal(WALLET, engine, PAYLOAD if payload is None else payload, now_ms=now_ms)


def with_text(text: str) -> str:
    """Return a bound frame whose signed text was replaced, and honestly signed."""
    changed = json.loads(sealed())
    changed["auth"] |= {"message": text, "signature": WALLET.sign_text(text)}
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False)


def bound_text() -> str:
    return str(json.loads(sealed())["auth"]["message"])


@pytest.mark.parametrize("vector", vectors("frames"), ids=lambda v: f"{v['form']} {v['message'][:20]}")
def test_frames_of_ethers_open(vector: dict[str, Any]) -> None:
    opened = verifier().open(vector["frame"], vector["now_ms"])
    assert opened.address == vector["address"].lower()
    assert opened.payload == vector["payload"]
    assert opened.message == vector["message"]
    assert opened.bound is (vector["form"] == "bound")
    assert opened.session is None
    strict = outcome(lambda: verifier("bound").open(vector["frame"].encode(), vector["now_ms"]))
    assert isinstance(strict, OpenedMessage) is opened.bound


def test_what_was_opened_cannot_be_given_to_another() -> None:
    """The address is whose signature held; nothing behind the check can change it."""
    opened = verifier().open(sealed(), NOW)
    with pytest.raises(AttributeError):
        opened.address = "0x" + "1" * 40  # type: ignore[misc]


def test_a_sealed_message_opens_in_either_form() -> None:
    text = sealed()
    opened = verifier("bound").open(text, NOW)
    assert opened.payload == PAYLOAD
    assert opened.address == WALLET.address.lower()
    assert opened.bound
    assert opened.replay_entry.key == replay_key(WALLET.address, opened.message)
    assert verifier().open(text.encode(), NOW).payload == PAYLOAD


def test_two_seals_of_the_same_message_are_two_messages() -> None:
    once = verifier("bound")
    assert once.open(sealed(), NOW).replay_entry != once.open(sealed(), NOW).replay_entry


def test_the_reference_implementation_recovers_the_sealed_text() -> None:
    auth = json.loads(sealed())["auth"]
    recovered = Account.recover_message(encode_defunct(text=auth["message"]), signature=auth["signature"])
    assert recovered == auth["address"] == WALLET.address


@pytest.mark.parametrize(
    "auth",
    [None, {}, {"address": WALLET.address}, {"address": WALLET.address, "message": "1", "signature": ""}],
)
def test_a01_no_proof_is_refused(auth: Any) -> None:
    text = json.dumps({"payload": PAYLOAD} | ({} if auth is None else {"auth": auth}))
    with refused(ErrorCode.UNAUTHENTICATED, saying="no auth"):
        verifier().open(text, NOW)


@pytest.mark.parametrize(
    "message", [str(SECONDS), f"free|{SECONDS}", f"flowork_socket_auth|{OTHER.address}|{SECONDS}"]
)
def test_a03_a_claimed_address_that_did_not_sign_is_refused(message: str) -> None:
    with refused(ErrorCode.BAD_SIGNATURE):
        verifier().open(frame(message, address=OTHER.address), NOW)


def test_a03_the_address_within_the_text_must_be_the_claimed_one() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="another address"):
        verifier().open(frame(DOCUMENTED, address=OTHER.address), NOW)
    changed = json.loads(sealed())
    changed["auth"]["address"] = OTHER.address
    with refused(ErrorCode.UNAUTHENTICATED, saying="another address"):
        verifier().open(json.dumps(changed), NOW)


@pytest.mark.parametrize("name", spellings(WALLET.sign_text(DOCUMENTED)))
def test_a04_a05_another_spelling_of_an_accepted_message_is_refused(name: str) -> None:
    once = verifier()
    once.open(frame(DOCUMENTED), NOW)
    other = spellings(WALLET.sign_text(DOCUMENTED))[name]
    with refused(ErrorCode.BAD_SIGNATURE, ErrorCode.UNAUTHENTICATED):
        once.open(frame(DOCUMENTED, signature=other), NOW)


@pytest.mark.parametrize(
    "text", [frame(DOCUMENTED), frame(str(SECONDS)), sealed()], ids=["documented", "a time", "bound"]
)
def test_a06_a_message_is_accepted_once(text: str) -> None:
    once = verifier()
    once.open(text, NOW)
    with refused(ErrorCode.REPLAYED):
        once.open(text, NOW + 1000)


def test_a06_a_documented_text_is_accepted_once_with_whatever_payload_and_address_spelling() -> None:
    once = verifier()
    once.open(frame(DOCUMENTED), NOW)
    for change in ({"payload": {"type": "y"}}, {"address": WALLET.address.lower()}):
        with refused(ErrorCode.REPLAYED):
            once.open(frame(DOCUMENTED, **change), NOW)


def test_a06_a_message_is_refused_after_a_restart() -> None:
    text = sealed()
    entry = verifier().open(text, NOW).replay_entry
    restarted = verifier()
    restarted._window.load([entry], NOW + 5000)
    with refused(ErrorCode.REPLAYED):
        restarted.open(text, NOW + 5000)


def test_a07_a_message_for_another_engine_is_refused() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="another engine"):
        verifier("documented", engine="engine-2").open(sealed(), NOW)


@pytest.mark.parametrize("form", ["documented", "bound"])
def test_a08_a_bound_rest_text_is_refused_on_the_socket(form: str) -> None:
    rest = f"flowork_api|{WALLET.address}|POST|/x|{NOW}|{'ab' * 16}|{'cd' * 32}"
    for text in (rest, f"flowork_api|{SECONDS}"):
        with refused(ErrorCode.UNAUTHENTICATED):
            verifier(form).open(frame(text), NOW)


@pytest.mark.parametrize("at", [SECONDS - 301, SECONDS + 301, 0, 2**63, NOW - 300_001, NOW + 300_001])
def test_a11_a_time_outside_the_window_is_refused(at: int) -> None:
    for text in (str(at), f"flowork_socket_auth|{WALLET.address}|{at}"):
        with refused(ErrorCode.STALE):
            verifier().open(frame(text), NOW)


@pytest.mark.parametrize("at", [NOW - 300_001, NOW + 300_001])
def test_a11_a_bound_time_outside_the_window_is_refused(at: int) -> None:
    with refused(ErrorCode.STALE):
        verifier().open(sealed(now_ms=at), NOW)


@pytest.mark.parametrize("at", ["-1766000000", "1e9", FULL_WIDTH, str(SECONDS) + " ", "9" * 30])
def test_a11_a_time_that_is_no_time_is_refused(at: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(frame(at), NOW)
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(with_text(bound_text().replace(str(NOW), at)), NOW)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + f"|{SECONDS}",
        lambda text: text.replace("flowork_engine|", "flowork_engine||", 1),
        lambda text: text.rpartition("|")[0],
        lambda text: text.rpartition("|")[0] + f"|{SECONDS}",
        lambda text: text[:-64] + text[-64:].upper().replace("0", "A"),
        lambda text: text.replace(ENGINE, "engine 1"),
        lambda text: text.replace(str(NOW), str(SECONDS)),
        lambda text: text + "\n",
        lambda _: f"flowork_engine|{SECONDS}",
    ],
)
def test_a12_a_bound_text_of_another_shape_is_refused(change: Any) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(with_text(change(bound_text())), NOW)


def test_a12_texts_of_other_products_are_refused_in_the_strict_form() -> None:
    for text in (f"OtherProduct|login|{SECONDS}", str(SECONDS), DOCUMENTED):
        with refused(ErrorCode.UNAUTHENTICATED, saying="cover the payload"):
            verifier("bound").open(frame(text), NOW)


def test_a12_a_text_that_is_too_long_is_refused() -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(frame("x" * 1014 + f"|{SECONDS}"), NOW)
    verifier().open(frame("x" * 1013 + f"|{SECONDS}"), NOW)


@pytest.mark.parametrize("address", ["0x", "0x" + "g" * 40, WALLET.address[2:], WALLET.address + "0", "me"])
def test_a_malformed_address_is_refused(address: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(frame(str(SECONDS), address=address), NOW)


def test_a13_a_bound_message_with_another_payload_is_refused() -> None:
    changed = json.loads(sealed())
    changed["payload"]["job_id"] = "j-2"
    with refused(ErrorCode.BAD_SIGNATURE, saying="does not cover"):
        verifier().open(json.dumps(changed), NOW)


@pytest.mark.parametrize(
    "broken",
    [
        "", "null", "[]", "{}", "text",
        '{"auth":{},"payload":', '{"auth":5,"payload":{}}', '{"auth":{"address":5},"payload":{}}',
        '{"payload":{}}{"payload":{}}', "\ud800", b"\xff", '{"payload":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_refused(broken: Any) -> None:
    with refused(ErrorCode.INVALID_REQUEST, ErrorCode.UNAUTHENTICATED):
        verifier().open(broken, NOW)


def signed_body(body: bytes) -> bytes:
    """Return a bound frame around exactly these payload bytes, honestly signed."""
    message = bound_text()[:-64] + hashlib.sha256(body).hexdigest()
    auth = {"address": WALLET.address, "message": message, "signature": WALLET.sign_text(message)}
    return b'{"auth":' + json.dumps(auth).encode() + b',"payload":' + body + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}', b'{"a":{"b":1,"\\u0062":2}}', b'{"a":NaN}', b'{"a":1e400}', b'{"a":9007199254740993}',
        b'{"a":"\\ud800"}', b'{"a":"\xff"}', b"[]", b"5", b"null", b'"x"',
        b'{"a":' * 65 + b"1" + b"}" * 65, b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    ],
)  # fmt: skip
def test_a14_an_ambiguous_payload_is_refused_though_it_is_signed(body: bytes) -> None:
    with refused(ErrorCode.INVALID_REQUEST):
        verifier("bound").open(signed_body(body), NOW)


def test_a14_the_deepest_payload_opens() -> None:
    body = b'{"a":' * 64 + b"1" + b"}" * 64
    assert verifier("bound").open(signed_body(body), NOW).payload == json.loads(body)


def test_a14_the_verified_bytes_are_the_parsed_bytes() -> None:
    honest = sealed().encode()
    for extra in (b'"payload":{"type":"evil"},', b'"payl\\u006fad":{"type":"evil"},', b'"auth":{},'):
        with refused(ErrorCode.INVALID_REQUEST, saying="two members"):
            verifier("bound").open(b"{" + extra + honest[1:], NOW)
        late = honest[:-1] + b"," + extra[:-1] + b"}"
        with refused(ErrorCode.INVALID_REQUEST, ErrorCode.BAD_SIGNATURE, ErrorCode.UNAUTHENTICATED):
            verifier("bound").open(late, NOW)


def test_members_of_other_clients_are_ignored() -> None:
    text = sealed()[:-1] + ',"v":2,"trace":{"id":"x"}}'
    assert verifier("bound").open(text, NOW).payload == PAYLOAD


def test_the_payload_counts_byte_for_byte_as_it_stands_in_the_frame() -> None:
    spaced = signed_body(b'{ "b" : 1.50 ,\n "a" : "\\u00e9" }')
    assert verifier("bound").open(spaced, NOW).payload == {"a": "é", "b": 1.5}
    with refused(ErrorCode.BAD_SIGNATURE):
        verifier("bound").open(spaced.replace(b"1.50", b"1.5"), NOW)


FRAME = seal(
    WALLET, ENGINE, {"type": "load_preset", "name": "Größe\n😀", "n": [1, 2.5, None]}, now_ms=NOW
).encode()
SESSIONS = standing()
DELEGATION = delegate()
DELEGATED = seal(SESSION, ENGINE, {"type": "x"}, now_ms=NOW, delegation=DELEGATION).encode()
SESSIONS.confirm(DELEGATION, SESSIONS.claimed(DELEGATION, NOW))


@settings(deadline=None, max_examples=400)
@given(bit=st.integers(0, len(FRAME) * 8 - 1))
def test_p7_any_changed_bit_of_a_bound_frame_is_refused(bit: int) -> None:
    changed = bytearray(FRAME)
    changed[bit // 8] ^= 1 << bit % 8
    assert isinstance(outcome(lambda: verifier("documented").open(bytes(changed), NOW)), ErrorCode)


@settings(deadline=None, max_examples=300)
@given(bit=st.integers(0, len(DELEGATED) * 8 - 1))
def test_p7_any_changed_bit_of_a_delegated_frame_is_refused(bit: int) -> None:
    changed = bytearray(DELEGATED)
    changed[bit // 8] ^= 1 << bit % 8
    assert isinstance(outcome(lambda: verifier(sessions=SESSIONS).open(bytes(changed), NOW)), ErrorCode)


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_p7_any_order_of_messages_accepts_each_at_most_once(data: st.DataObject) -> None:
    texts = [sealed({"n": number}, now_ms=NOW + number) for number in range(4)]
    texts += [frame(str(SECONDS + number)) for number in range(3)]
    order = data.draw(st.lists(st.sampled_from(texts), min_size=1, max_size=20))
    once, accepted = verifier(), []
    for text in order:
        answer = outcome(lambda text=text: once.open(text, NOW))
        assert answer is ErrorCode.REPLAYED or isinstance(answer, OpenedMessage)
        accepted += [text] if isinstance(answer, OpenedMessage) else []
    assert sorted(accepted) == sorted(set(order))


@settings(deadline=None, max_examples=200)
@given(
    raw=st.binary(max_size=200)
    | st.builds(lambda cut, more: FRAME[:cut] + more, st.integers(0, len(FRAME)), st.binary(max_size=20))
)
def test_z1_no_frame_crashes_the_parser(raw: bytes) -> None:
    answer = outcome(lambda: verifier().open(raw, NOW))
    # white space around the frame's own tokens is nobody's data
    assert isinstance(answer, ErrorCode) or raw.strip(b" \t\r\n") == FRAME


def test_the_spelling_of_a_signature_is_judged_before_the_time() -> None:
    stale = str(SECONDS - 5000)
    with refused(ErrorCode.STALE):
        verifier().open(frame(stale, signature=OTHER.sign_text(stale)), NOW)
    with refused(ErrorCode.BAD_SIGNATURE):
        verifier().open(frame(stale, signature=spellings(WALLET.sign_text(stale))["high s"]), NOW)


def test_a_full_replay_window_refuses() -> None:
    full = verifier()
    full._window = ReplayWindow(capacity=1)
    full.open(sealed(), NOW)
    with refused(ErrorCode.RATE_LIMITED):
        full.open(sealed(), NOW)


def test_a_bad_signature_does_not_use_up_a_message() -> None:
    once = verifier()
    with refused(ErrorCode.BAD_SIGNATURE):
        once.open(frame(DOCUMENTED, signature=WALLET.sign_text("other")), NOW)
    assert once.open(frame(DOCUMENTED), NOW)


def test_opening_costs_at_most_a_quarter_more_than_the_reference_recovery() -> None:
    frames = [sealed({"type": "request_settings", "n": number}).encode() for number in range(200)]
    auth = json.loads(frames[0])["auth"]

    def reference() -> float:
        start = time.perf_counter()
        for _ in frames:
            Account.recover_message(encode_defunct(text=auth["message"]), signature=auth["signature"])
        return time.perf_counter() - start

    def ours() -> float:
        opener, start = verifier("bound"), time.perf_counter()
        for raw in frames:
            opener.open(raw, NOW)
        return time.perf_counter() - start

    assert min(ours() for _ in range(5)) <= 1.25 * min(reference() for _ in range(5))


@pytest.mark.parametrize(
    "said", [f"00-{'a' * 32}-{'b' * 16}-01", "nonsense", 5, {"a": [1]}, None, "x" * 10_000]
)
def test_what_a_frame_says_of_its_trace_changes_nothing_else(said: Any) -> None:
    """It stands beside what is signed, so anybody on the way may have put it there."""
    plain = sealed()
    joined = plain[:-1] + f',"traceparent":{json.dumps(said)}}}'
    opened, expected = verifier().open(joined, NOW), verifier().open(plain, NOW)
    assert opened.traceparent == (said if str(said).startswith("00-") else None)
    assert (opened.address, opened.payload, opened.message, opened.raw_payload, opened.bound) == (
        expected.address, expected.payload, expected.message, expected.raw_payload, expected.bound,
    )  # fmt: skip


def test_who_signed_is_the_wallet_or_the_session_key_that_acts_for_it() -> None:
    plain = verifier("bound").open(seal(WALLET, ENGINE, {"type": "x"}, now_ms=NOW), NOW)
    assert plain.signer == plain.address == WALLET.address.lower()
    text = seal(SESSION, ENGINE, {"type": "x"}, now_ms=NOW, delegation=delegate())
    acting = verifier("bound", sessions=standing()).open(text, NOW)
    assert (acting.signer, acting.address) == (SESSION.address.lower(), WALLET.address.lower())


def test_what_a_front_opened_is_used_once_by_the_process_behind_it() -> None:
    front = EnvelopeVerifier(ENGINE, "bound", UncheckedReplays())
    behind = verifier("bound")
    text = seal(WALLET, ENGINE, {"type": "x"}, now_ms=NOW)
    opened = front.open(text, NOW)
    assert front.open(text, NOW).replay_entry == opened.replay_entry
    behind.use(opened, NOW)
    for again in (lambda: behind.use(opened, NOW), lambda: behind.open(text, NOW)):
        with refused(ErrorCode.REPLAYED):
            again()
    with refused(ErrorCode.INVALID_REQUEST, saying="told from a repeat"):
        behind.use(replace(opened, replay_entry=None), NOW)
