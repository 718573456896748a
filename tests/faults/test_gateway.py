"""A gateway that is killed, locked out of its database, restored from an old backup, or lost for good."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from shared.ids import new_id
from shared.signing.keys import WalletKey
from tests.core_engine.engine import chain, waiting
from tests.faults.asking import ask_once
from tests.support.platform import Platform, Service, wait_for


class House(Platform):
    """A platform whose gateway comes and goes."""

    gateway: Service

    def begin(self) -> None:
        self.gateway = self.start_gateway()
        self.register_engine()
        self.start_engine()
        self.wait_online()

    @property
    def gateway_folder(self) -> Path:
        return self.folder / "gateway"

    def restart_gateway(self) -> None:
        self.gateway = self.start_gateway()
        self.wait_online()

    def share(self, guest: WalletKey) -> None:
        """Let somebody in as an admin of the engine, with a grant that the owner signs."""
        path, body = f"/user/engines/{self.engine_id}/share", {"user_id": guest.address, "role": "admin"}
        text = self.call("POST", path, body).json()["grant_text"]
        grant = {"text": text, "signature": self.owner.sign_text(text)}
        assert self.call("POST", path, body | {"grant": grant}).json()["needs_grant"] is False
        wait_for(lambda: self.may_start(guest), "the guest to be admitted")

    def unshare(self, guest: WalletKey) -> None:
        path = f"/engines/{self.engine_id}/shares/{guest.address}"
        assert self.call("DELETE", path).status_code == 200

    def ask(self, kind: str, /, key: WalletKey | None = None, **fields: Any) -> dict[str, Any]:
        key = key or self.owner
        return ask_once(self.socket_url, kind, key=key, engine_id=self.engine_id, **fields)

    def may_read(self, key: WalletKey) -> bool:
        try:
            return self.ask("list_runs", key)["type"] == "runs_list_response"
        except ConnectionClosed:  # the access ended between the connection and the answer
            return False

    def may_start(self, key: WalletKey) -> bool:
        return self.ask("execute_workflow", key, workflow_data=chain(1)).get("code") != "FORBIDDEN"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    try:
        made.begin()
        yield made
    finally:
        made.close()


@pytest.fixture
def guest() -> WalletKey:
    return WalletKey.create()[0]


def test_a_guest_who_is_removed_commands_nothing_more_and_their_run_goes_on(
    house: House, guest: WalletKey
) -> None:
    """F43."""
    house.share(guest)
    job_id = new_id()
    begun = house.ask("execute_workflow", guest, job_id=job_id, workflow_data=waiting(2))
    assert begun["status_data"]["status"] == "RUNNING"
    house.unshare(guest)
    wait_for(lambda: not house.may_read(guest), "the guest to be out")
    assert house.ask("stop_workflow", guest, job_id=job_id)["type"] == "error"
    shown = house.ask("get_run", job_id=job_id)["run"]
    assert shown["started_by"] == guest.address.lower()
    wait_for(lambda: house.ask("get_run", job_id=job_id)["run"]["status"] == "SUCCEEDED", "its end")


def test_a_gateway_restored_from_an_old_backup_brings_no_ended_grant_back(
    house: House, guest: WalletKey, tmp_path: Path
) -> None:
    """F28, A27: also what a gateway could do that was taken over."""
    house.share(guest)
    house.gateway.kill()
    backup = shutil.copytree(house.gateway_folder, tmp_path / "backup")
    house.restart_gateway()
    house.unshare(guest)
    wait_for(lambda: not house.may_read(guest), "the guest to be out")
    house.gateway.kill()
    shutil.rmtree(house.gateway_folder)
    shutil.copytree(backup, house.gateway_folder)
    house.restart_gateway()
    wait_for(
        lambda: house.may_read(guest), "the old list, which is the gateway's own word, to be there again"
    )
    assert not house.may_start(guest), "what the owner had granted is not"
    house.share(guest)
    assert house.may_start(guest), "until the owner grants it anew"


def test_a_change_that_was_committed_but_never_told_is_in_force_after_the_restart(
    house: House, guest: WalletKey
) -> None:
    """F25: the database as it is when the gateway is killed between the commit and what it would tell."""
    house.share(guest)
    house.gateway.kill()
    with closing(sqlite3.connect(house.gateway_folder / "gateway.db")) as database, database:
        done = database.execute(
            "DELETE FROM engine_shares WHERE lower(guest_address) = ?", (guest.address.lower(),)
        )
        assert done.rowcount == 1
    assert house.may_start(guest), "nobody has told the engine yet"
    house.restart_gateway()
    wait_for(lambda: not house.may_read(guest), "the engine to fetch its guests")


def test_a_locked_database_is_answered_with_503_and_holds_up_nobody_else(house: House) -> None:
    """F26."""
    answers: list[httpx.Response] = []

    def register() -> None:
        answers.append(house.call("POST", "/user/engines", {"name": "While it is locked"}))

    with closing(sqlite3.connect(house.gateway_folder / "gateway.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = threading.Thread(target=register, name="a write")
        writing.start()
        reads = 0
        with httpx.Client(base_url=house.gateway_url, timeout=30) as reader:
            while writing.is_alive():
                assert reader.get("/api/v1/system/health").status_code == 200
                reads += not answers
                writing.join(0.01)  # a fast machine would come to the limit of one address otherwise
        assert reads >= 3, "everybody else is served while the write waits"
        writing.join(60)
        other.execute("ROLLBACK")
    (refused,) = answers
    assert (refused.status_code, refused.json()["code"]) == (503, "BUSY")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "While it is locked" not in house.call("GET", "/user/engines").text
    register()
    assert answers[-1].status_code == 201
    wait_for(lambda: house.engine_state() == "online", "the engine, whose link lived through it")


def test_a_gateway_that_is_lost_for_good_takes_nothing_of_the_engine_with_it(house: House) -> None:
    """F29."""
    job_id, before = new_id(), house.engine_id
    house.ask("execute_workflow", job_id=job_id, workflow_data=chain(2))
    wait_for(lambda: house.ask("get_run", job_id=job_id)["run"]["status"] == "SUCCEEDED", "the run")
    house.close()
    shutil.rmtree(house.gateway_folder)
    house.begin()
    assert house.engine_id != before
    kept = house.ask("get_run", job_id=job_id)
    assert kept["run"]["status"] == "SUCCEEDED"
    assert [node["status"] for node in kept["nodes"]] == ["SUCCESS"] * 2
    assert house.may_start(house.owner)
