"""The whole contract: complete, named consistently, and every command answered."""

from __future__ import annotations

import re

import pytest

from shared.contract.base import Auth, Outgoing, Role
from shared.contract.catalog import commands, events, operations
from shared.errors import ErrorCode


def test_the_registers_are_full_and_sorted() -> None:
    for register in (commands(), events(), operations()):
        assert register
        assert list(register) == sorted(register)


@pytest.mark.parametrize("name", commands())
def test_a_command_has_a_name_a_reply_and_a_role(name: str) -> None:
    command = commands()[name]
    assert command.name == name
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert issubclass(command.reply, Outgoing)
    assert isinstance(command.role, Role)
    assert command.__doc__


@pytest.mark.parametrize("name", events())
def test_an_event_carries_its_name_as_type(name: str) -> None:
    event = events()[name]
    assert event.name == name
    assert event.relay
    assert event.model_fields["type"].default == name
    assert event.__doc__


def test_relay_names_lead_to_one_event() -> None:
    relays = [event.relay for event in events().values() if event.name != "drives_list_response"]
    assert len(relays) == len(set(relays)), "the two lists of the file browser share one name there"


@pytest.mark.parametrize("name", operations())
def test_an_operation_is_well_formed(name: str) -> None:
    operation = operations()[name]
    assert operation.name == name
    assert operation.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}
    assert re.fullmatch(r"(/([a-z0-9_.-]+|\{[a-z_]+\}))+/?", operation.path)
    assert operation.summary
    assert {ErrorCode(code) for code in operation.errors} <= set(ErrorCode)
    # To delete an account, its owner confirms it in the body.
    assert operation.body is None or operation.method not in {"GET", "DELETE"} or name == "delete_account"


def test_a_path_with_a_parameter_may_lead_nowhere() -> None:
    """Some values are no part of a path, whatever the operation thinks of the others."""
    silent = [
        item.name for item in operations().values() if "{" in item.path and "NOT_FOUND" not in item.errors
    ]
    assert silent == []


def test_no_two_operations_share_method_and_path() -> None:
    places = [(item.method, re.sub(r"\{[^}]+\}", "{}", item.path)) for item in operations().values()]
    assert len(places) == len(set(places))


def test_a29_what_is_open_without_proof_is_a_short_list() -> None:
    assert len([item for item in operations().values() if item.auth is Auth.NONE]) <= 12
