"""What a message must pass: a table of bad ones, roles by commands, replays, delegations, our own mistakes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core_engine.access.standing import MAX_IDENTITIES
from core_engine.app import Engine
from core_engine.commands import dispatch as module
from core_engine.commands.caller import Caller
from core_engine.commands.command import handlers
from shared.contract import catalog
from shared.contract.base import Role
from shared.contract.session_keys import WALLET_COMMANDS
from shared.signing.delegation import DelegationOffer, sign_delegation
from shared.signing.envelope import EnvelopeVerifier, seal
from shared.signing.keys import WalletKey
from shared.signing.replay import ReplayWindow
from shared.signing.standing import StandingDelegations
from shared.signing.texts import new_nonce
from tests.core_engine.engine import (
    ADMIN,
    CLOCK,
    ENGINE_ID,
    OWNER,
    READER,
    RUNNER,
    STRANGER,
    Talker,
    admit,
    chain,
    engine,
    talker,
)

KEYS = {Role.READER: READER, Role.RUNNER: RUNNER, Role.ADMIN: ADMIN, Role.OWNER: OWNER}
FIELDS: dict[str, dict[str, Any]] = {
    "execute_workflow": {"workflow_data": chain(1)},
    "validate_workflow": {"workflow_data": chain(1)},
}


def documented(payload: Any, key: WalletKey = OWNER, message: str | None = None) -> str:
    """Return a documented envelope: the signature covers only the text."""
    text = message or f"flowork_socket_auth|{key.address}|{CLOCK.now_ms()}"
    auth = {"address": key.address, "message": text, "signature": key.sign_text(text)}
    return json.dumps({"auth": auth, "payload": payload})


def edited(text: str, *path: str, to: Any) -> str:
    """Return a message with one member changed."""
    message = json.loads(text)
    inner = message
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to(inner[path[-1]]) if callable(to) else to
    return json.dumps(message)


def bound(kind: str, **fields: Any) -> str:
    return seal(OWNER, ENGINE_ID, {"type": kind, **fields}, now_ms=CLOCK.now_ms())


def graph(**change: Any) -> dict[str, Any]:
    return chain(2) | change


def start(workflow: Any, **fields: Any) -> str:
    return bound("execute_workflow", job_id="bad-1", request_id="q-1", workflow_data=workflow, **fields)


def high_s(signature: str) -> str:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s, v = int(signature[66:130], 16), int(signature[130:], 16)
    return f"{signature[:66]}{order - s:064x}{55 - v:02x}"


STALE_MS = 301_000
BAD: dict[str, tuple[Callable[[], str | bytes], str]] = {
    "nothing": (lambda: "", "INVALID_REQUEST"),
    "no JSON": (lambda: "{auth", "INVALID_REQUEST"),
    "not UTF-8": (lambda: b"\xff\xfe", "INVALID_REQUEST"),
    "an array": (lambda: "[]", "INVALID_REQUEST"),
    "a bare command": (lambda: '{"type":"list_runs"}', "INVALID_REQUEST"),
    "no auth": (lambda: '{"payload":{"type":"list_runs"}}', "UNAUTHENTICATED"),
    "no payload": (lambda: '{"auth":{}}', "INVALID_REQUEST"),
    "auth of wrong types": (lambda: '{"auth":{"address":7},"payload":{}}', "INVALID_REQUEST"),
    "no signature": (lambda: edited(bound("list_runs"), "auth", "signature", to=""), "UNAUTHENTICATED"),
    "no address": (lambda: edited(bound("list_runs"), "auth", "address", to="me"), "UNAUTHENTICATED"),
    "signature of another": (
        lambda: edited(documented({"type": "list_runs"}), "auth", "address", to=ADMIN.address), "UNAUTHENTICATED",
    ),
    "signature of another text": (
        lambda: edited(documented({"type": "list_runs"}, message=str(CLOCK.now_ms())), "auth", "message",
                       to=lambda text: str(int(text) + 1)), "BAD_SIGNATURE",
    ),
    "high s": (lambda: edited(bound("list_runs"), "auth", "signature", to=high_s), "BAD_SIGNATURE"),
    "upper case signature": (
        lambda: edited(bound("list_runs"), "auth", "signature", to=lambda text: "0x" + text[2:].upper()),
        "BAD_SIGNATURE",
    ),
    "payload swapped": (lambda: edited(bound("list_runs"), "payload", to={"type": "stop_workflow"}), "BAD_SIGNATURE"),
    "for another engine": (
        lambda: seal(OWNER, "engine-2", {"type": "list_runs"}, now_ms=CLOCK.now_ms()), "UNAUTHENTICATED",
    ),
    "stale": (lambda: seal(OWNER, ENGINE_ID, {"type": "list_runs"}, now_ms=CLOCK.now_ms() - STALE_MS), "STALE"),
    "of the future": (lambda: seal(OWNER, ENGINE_ID, {"type": "list_runs"}, now_ms=CLOCK.now_ms() + STALE_MS), "STALE"),
    "documented and stale": (
        lambda: documented({"type": "list_runs"}, message=str((CLOCK.now_ms() - STALE_MS) // 1000)), "STALE",
    ),
    "no time in the message": (
        lambda: documented({"type": "list_runs"}, message="a unique message"), "UNAUTHENTICATED",
    ),
    "payload is no object": (lambda: documented([1]), "INVALID_REQUEST"),
    "duplicate member": (
        lambda: documented("X").replace('"X"', '{"type":"list_runs","type":"stop_workflow"}'), "INVALID_REQUEST",
    ),
    "too deep": (lambda: documented("X").replace('"X"', '{"a":' * 100 + "1" + "}" * 100), "INVALID_REQUEST"),
    "number too large": (
        lambda: documented("X").replace('"X"', '{"type":"list_runs","limit":1e400}'), "INVALID_REQUEST",
    ),
    "unknown command": (lambda: bound("execute_workflows"), "UNKNOWN_COMMAND"),
    "no type": (lambda: documented({"job_id": "x"}), "INVALID_REQUEST"),
    "type of wrong type": (lambda: documented({"type": ["list_runs"]}), "INVALID_REQUEST"),
    "job id of wrong type": (lambda: bound("get_run", job_id=7), "INVALID_REQUEST"),
    "job id with a path": (lambda: bound("get_run", job_id="../etc"), "INVALID_REQUEST"),
    "no job id": (lambda: bound("get_run"), "INVALID_REQUEST"),
    "unknown run": (lambda: bound("get_run", job_id="nobody"), "NOT_FOUND"),
    "limit too large": (lambda: bound("list_runs", limit=501), "INVALID_REQUEST"),
    "request id too long": (lambda: bound("list_runs", request_id="x" * 81), "INVALID_REQUEST"),
    "no workflow": (lambda: bound("execute_workflow"), "INVALID_REQUEST"),
    "workflow of wrong type": (lambda: start([]), "INVALID_REQUEST"),
    "unknown mode": (lambda: start(chain(1), mode="MAYBE"), "INVALID_REQUEST"),
    "no nodes": (lambda: start({}), "INVALID_WORKFLOW"),
    "cycle": (
        lambda: start(graph(connections=[{"source": "n0", "target": "n1"}, {"source": "n1", "target": "n0"}])),
        "INVALID_WORKFLOW",
    ),
    "unknown component": (lambda: start(chain(1, "no_such_module")), "INVALID_WORKFLOW"),
    "dangling edge": (lambda: start(graph(connections=[{"source": "n0", "target": "gone"}])), "INVALID_WORKFLOW"),
    "duplicate node id": (lambda: start(graph(nodes=[*chain(1)["nodes"], *chain(1)["nodes"]])), "INVALID_WORKFLOW"),
    "unknown start node": (lambda: start(chain(1), start_node_id="gone"), "INVALID_WORKFLOW"),
}  # fmt: skip


async def test_every_bad_message_has_its_own_answer_and_does_nothing(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        seen = set()
        for name, (make, code) in BAD.items():
            answer = await client.raw(make())
            assert (name, answer["type"], answer["code"]) == (name, "error", code)
            seen.add((answer["message"], str(answer.get("details"))))
            assert (await client.ask("list_runs"))["runs"] == [], f"after {name}: usable, and nothing ran"
        assert len(seen) > len(BAD) * 0.6, "the answers are specific"


async def test_errors_carry_the_ids_and_name_the_fields(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        answer = await client.raw(start("text"))
        assert (answer["job_id"], answer["request_id"]) == ("bad-1", "q-1")
        assert answer["details"] == [
            {"field": "workflow_data", "problem": "Input should be a valid dictionary"}
        ]
        assert answer["message"].startswith("execute_workflow: workflow_data:")
        stale = seal(
            OWNER, ENGINE_ID, {"type": "list_runs", "request_id": "q-2"}, now_ms=CLOCK.now_ms() - STALE_MS
        )
        assert (await client.raw(stale))["request_id"] == "q-2", "also where the signature was refused"
        odd = edited(stale, "payload", to={"job_id": "../x", "request_id": 7})
        assert "job_id" not in (await client.raw(odd)), "only ids that are ids are echoed"
        assert "did you mean list_runs" in (await client.raw(bound("list_run")))["message"]
        cycle = await client.raw(BAD["cycle"][0]())
        assert cycle["details"][0]["problem"]


async def test_a_message_is_good_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running) as other:
        message = client.sealed({"type": "list_runs"})
        assert (await client.raw(message))["type"] == "runs_list_response"
        assert (await client.raw(message))["code"] == "REPLAYED"
        assert (await other.raw(message))["code"] == "REPLAYED"
        text = f"flowork_socket_auth|{OWNER.address}|{CLOCK.now_ms()}"
        assert (await client.raw(documented({"type": "list_runs"}, message=text)))[
            "type"
        ] == "runs_list_response"
        swapped = documented({"type": "execute_workflow", "workflow_data": chain(1)}, message=text)
        assert (await client.raw(swapped))["code"] == "REPLAYED", "one envelope cannot carry two payloads"


async def test_a_message_is_good_once_also_across_a_restart(tmp_path: Path) -> None:
    messages = []
    async with engine(tmp_path) as running, talker(running) as client:
        for job_id in ("first", "second"):
            messages.append(
                client.sealed({"type": "execute_workflow", "job_id": job_id, "workflow_data": chain(1)})
            )
            await client.socket.send(messages[-1])
            await client.finish(job_id)
        messages.append(client.sealed({"type": "list_runs"}))
        assert (await client.raw(messages[-1]))["type"] == "runs_list_response"
    async with engine(tmp_path) as running, talker(running) as client:
        for message in messages:
            assert (await client.raw(message))["code"] == "REPLAYED"
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


async def test_bound_engines_refuse_the_documented_form(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_ENVELOPE="bound") as running, talker(running) as client:
        assert (await client.raw(documented({"type": "list_runs"})))["code"] == "UNAUTHENTICATED"
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


@pytest.mark.parametrize("form", ["seconds", "milliseconds", "flowork_socket_auth", "flowork_api_auth"])
async def test_every_documented_text_is_accepted(tmp_path: Path, form: str) -> None:
    now = CLOCK.now_ms()
    texts = {
        "seconds": str(now // 1000),
        "milliseconds": f"hello|{now}",
        "flowork_socket_auth": f"flowork_socket_auth|{OWNER.address}|{now // 1000}",
        "flowork_api_auth": f"flowork_api_auth|{OWNER.address}|{now // 1000}",
    }
    async with engine(tmp_path) as running, talker(running) as client:
        answer = await client.raw(documented({"type": "list_runs"}, message=texts[form]))
        assert answer["type"] == "runs_list_response"


def test_commands_and_handlers_match_one_to_one() -> None:
    assert {name: handler.model for name, handler in handlers().items()} == catalog.commands()


def test_the_module_of_a_command_is_found_in_sorted_order_twice_the_same() -> None:
    assert list(handlers()) == list(handlers())


async def test_every_command_is_open_to_its_role_and_above(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        await admit(running)
        async with talker(running) as client:
            for name, model in catalog.commands().items():
                for role, key in KEYS.items():
                    answer = await client.ask(name, key, **FIELDS.get(name, {"job_id": "nobody"}))
                    allowed = role >= (Role.ADMIN if name == "execute_workflow" else model.role)
                    forbidden = answer["type"] == "error" and answer["code"] == "FORBIDDEN"
                    assert forbidden is not allowed, (name, role, answer)
                answer = await client.ask(name, STRANGER, **FIELDS.get(name, {"job_id": "nobody"}))
                assert answer["code"] == "FORBIDDEN", (name, "stranger")


async def test_a_runner_hears_why_it_may_not_bring_its_own_workflow(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        await admit(running)
        async with talker(running, RUNNER) as client:
            answer = await client.ask("execute_workflow", workflow_data=chain(1))
            assert answer["code"] == "FORBIDDEN"
            assert "saved" in answer["message"]
            assert (await client.ask("list_runs"))["runs"] == []


async def test_a_stranger_learns_nothing_about_commands(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running, STRANGER) as client:
        answers = [
            await client.raw(client.sealed(payload))
            for payload in ({"type": "list_runs"}, {"type": "no_such"}, {}, {"type": "get_run", "job_id": 1})
        ]
        assert len({(answer["code"], answer["message"]) for answer in answers}) == 1
        assert answers[0]["code"] == "FORBIDDEN"


async def test_too_many_commands_at_once_are_refused_and_every_one_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_IN_FLIGHT", 4)
    async with engine(tmp_path) as running, talker(running) as client:
        for number in range(20):
            await client.send("get_run", job_id="nobody", request_id=str(number))
        answers = [await client.next() for _ in range(20)]
        assert {frame["request_id"] for frame in answers} == {str(number) for number in range(20)}
        assert {frame["code"] for frame in answers} <= {"NOT_FOUND", "RATE_LIMITED"}
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


async def test_identities_on_one_connection_are_bounded(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_GATEWAY_TRUST="list") as running, talker(running) as client:
        keys = [WalletKey.create()[0] for _ in range(MAX_IDENTITIES + 1)]
        await running.access.replace_guests([key.address for key in keys])
        answers = [await client.ask("list_runs", key) for key in keys]
        assert [answer["type"] for answer in answers[:-1]] == ["runs_list_response"] * MAX_IDENTITIES
        assert answers[-1]["code"] == "FORBIDDEN"


async def test_our_own_mistakes_are_answered_with_an_incident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(**_: Any) -> None:
        raise ZeroDivisionError("a secret detail")

    async with engine(tmp_path) as running, talker(running) as client:
        monkeypatch.setattr(running.runs, "listing", explode)
        with caplog.at_level(logging.ERROR):
            answer = await client.ask("list_runs")
        assert answer["code"] == "INTERNAL"
        assert "secret detail" not in json.dumps(answer)
        (record,) = [item for item in caplog.records if item.levelno == logging.ERROR]
        assert record.incident == answer["details"]["incident"]
        monkeypatch.undo()
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


async def test_our_own_mistakes_before_the_command_begins_are_answered_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(_: str) -> Role:
        raise ZeroDivisionError

    async with engine(tmp_path) as running, talker(running) as client:
        monkeypatch.setattr(running.access, "require_role", explode)
        assert (await client.ask("list_runs"))["code"] == "INTERNAL"
        monkeypatch.undo()
        assert (await client.ask("list_runs"))["type"] == "runs_list_response"


async def test_what_a_client_writes_cannot_forge_log_lines(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        workflow = chain(1, "x\n12:00:00 engine ERROR forged\x1b[31m")
        with caplog.at_level(logging.INFO):
            assert (await client.ask("execute_workflow", workflow_data=workflow))[
                "code"
            ] == "INVALID_WORKFLOW"
    (record,) = [item for item in caplog.records if item.getMessage() == "refused a message"]
    assert record.reason.isprintable()


async def test_a_command_that_takes_too_long_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(**_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.1)
    async with engine(tmp_path) as running, talker(running) as client:
        monkeypatch.setattr(running.runs, "listing", hang)
        assert (await client.ask("list_runs"))["code"] == "DEADLINE_EXCEEDED"


async def test_commands_go_on_when_their_connection_is_gone(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        async with talker(running) as client:
            await client.send("execute_workflow", job_id="orphan", workflow_data=chain(3))
        async with talker(running) as again:
            await until_succeeded(again, "orphan")
        assert running.runs._delivery._by_sink == {}, "nobody is told any more"


async def until_succeeded(client: Talker, job_id: str) -> None:
    answer = await client.ask("get_run", job_id=job_id)
    if answer["type"] == "error" or answer["run"]["status"] != "SUCCEEDED":
        await asyncio.sleep(0.02)
        await until_succeeded(client, job_id)


class Delegate:
    """A dispatcher that honours delegations, and a session key of the owner's."""

    def __init__(self, running: Engine, *, scopes: list[str], wallet: WalletKey = OWNER) -> None:
        sessions = StandingDelegations(lambda name: name == "app.example", engine_id=ENGINE_ID)
        verifier = EnvelopeVerifier(ENGINE_ID, "documented", ReplayWindow(), sessions=sessions)
        guards = module.Guards(verifier, running._replays, running.access, CLOCK)
        self.dispatcher = module.Dispatcher(guards, running.rooms, handlers())
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.caller = Caller(lambda frames: [self.told.put_nowait(frame) for frame in frames])
        self.key = WalletKey.create()[0]
        now, offer = CLOCK.now_ms(), DelegationOffer("app.example", "https://app.example", 1, new_nonce())
        self.delegation = sign_delegation(
            wallet, offer, self.key.address,
            engines=[ENGINE_ID], scopes=scopes, issued_ms=now, expires_ms=now + 3_600_000,
        )  # fmt: skip

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        payload = {"type": kind, **fields}
        message = seal(self.key, ENGINE_ID, payload, now_ms=CLOCK.now_ms(), delegation=self.delegation)
        self.dispatcher.accept(message.encode(), self.caller)
        async with asyncio.timeout(10):
            return await self.told.get()


async def test_a_session_key_acts_for_its_wallet_within_its_scopes(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        reading, both = Delegate(running, scopes=["read"]), Delegate(running, scopes=["read", "run"])
        assert (await reading.ask("list_runs"))["type"] == "runs_list_response"
        refused = await reading.ask("execute_workflow", job_id="s-1", workflow_data=chain(1))
        assert refused["code"] == "FORBIDDEN"
        assert "scope run" in refused["message"]
        started = await both.ask("execute_workflow", job_id="s-2", workflow_data=chain(1))
        assert started["type"] == "workflow_status_update"
        assert running.runs.summary("s-2").started_by == OWNER.address.lower()


async def test_a_session_key_has_no_more_rights_than_its_wallet(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        stranger = Delegate(running, scopes=["read", "run"], wallet=STRANGER)
        assert (await stranger.ask("list_runs"))["code"] == "FORBIDDEN"


async def test_a23_a_session_key_can_hand_nothing_on(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        page = Delegate(running, scopes=["read", "run"])
        assert (await page.ask("list_runs"))["type"] == "runs_list_response"
        onward = Delegate(running, scopes=["read", "run"], wallet=page.key)
        assert (await onward.ask("list_runs"))["code"] == "FORBIDDEN"


async def test_what_outlasts_a_session_needs_the_wallet_itself(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        page = Delegate(running, scopes=["read", "run", "admin", "own"])
        for command in sorted(WALLET_COMMANDS):
            refused = await page.ask(command)
            assert (refused["code"], "wallet itself" in refused["message"]) == ("FORBIDDEN", True), command


async def test_closing_the_engine_interrupts_commands_in_progress(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:

        async def hang(**_: Any) -> None:
            await asyncio.Event().wait()

        running.runs.listing = hang  # type: ignore[method-assign]
        await client.send("list_runs")
        async with asyncio.timeout(60):
            while not running._dispatcher._underway.tasks:  # noqa: ASYNC110 - the message is on its way
                await asyncio.sleep(0.01)
    assert not running._dispatcher._underway.tasks
