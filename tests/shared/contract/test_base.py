"""What every message is made of: names, registers, and how strict each direction is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from shared.contract.base import (
    COMMANDS,
    EVENTS,
    OPERATIONS,
    Address,
    Audience,
    Auth,
    Command,
    EngineId,
    Event,
    Incoming,
    JobId,
    Operation,
    Outgoing,
    Role,
)


@pytest.fixture(autouse=True)
def _registers_as_before() -> Iterator[None]:
    registers: tuple[dict[str, Any], ...] = (COMMANDS, EVENTS, OPERATIONS)
    before = [dict(register) for register in registers]
    yield
    for register, known in zip(registers, before, strict=True):
        register.clear()
        register.update(known)


class Names(Incoming):
    address: Address
    engine: EngineId
    job: JobId


NAMES = {"address": "0x" + "aB" * 20, "engine": "local-engine-default", "job": "j_1"}


def test_incoming_ignores_what_it_does_not_know() -> None:
    assert Names.model_validate(NAMES | {"more": 1}) == Names(**NAMES)


@pytest.mark.parametrize(
    "change",
    [
        {"address": "0x1"},
        {"engine": "a|b"},
        {"engine": ""},
        {"job": "../x"},
        {"job": "a" * 81},
        {"job": None},
    ],
)
def test_malformed_names_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Names.model_validate(NAMES | change)


def test_outgoing_is_exact() -> None:
    class Answer(Outgoing):
        a: int

    assert Answer(a=1).model_dump() == {"a": 1}
    with pytest.raises(ValidationError):
        Answer.model_validate({"a": 1, "b": 2})


def test_each_role_includes_those_below() -> None:
    assert Role.READER < Role.RUNNER < Role.ADMIN < Role.OWNER


def test_a_declared_command_and_event_are_registered_and_know_their_names() -> None:
    class Told(Event, name="test_told", relay="relay_told", audience=Audience.RUN):
        type: str = "test_told"

    class Tell(Command, name="test_tell", reply=Told, role=Role.RUNNER):
        text: str

    assert (COMMANDS["test_tell"], EVENTS["test_told"]) == (Tell, Told)
    assert (Tell.name, Tell.reply, Tell.role) == ("test_tell", Told, Role.RUNNER)
    assert (Told.name, Told.relay, Told.audience) == ("test_told", "relay_told", Audience.RUN)
    assert Tell(text="x", request_id="r", unknown=1).request_id == "r"  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Tell(text="x", request_id="r" * 81)


def test_an_event_is_known_by_its_own_name_on_the_relay_too() -> None:
    class Plain(Event, name="test_plain"):
        pass

    assert (Plain.relay, Plain.audience) == ("test_plain", Audience.CALLER)


def test_a_class_without_a_name_is_only_a_base() -> None:
    before = len(COMMANDS), len(EVENTS)

    class CommandBase(Command):
        pass

    class EventBase(Event):
        pass

    assert (len(COMMANDS), len(EVENTS)) == before
    assert not hasattr(CommandBase, "name")
    assert not hasattr(EventBase, "name")


def test_nothing_is_declared_twice() -> None:
    def declare_event() -> None:
        class Twice(Event, name="test_twice"):
            pass

    def declare_operation() -> None:
        Operation("test_twice", "GET", "/x", Auth.NONE, "A test", Outgoing, "test")

    for declare in (declare_event, declare_operation):
        declare()
        with pytest.raises(ValueError, match="twice"):
            declare()
