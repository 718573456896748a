"""The doctor's judgements, one by one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from flowork.doctor import software
from flowork.doctor.finding import Level
from flowork.doctor.folder import check_folder
from flowork.doctor.isolation import judge_isolation, probe_isolation
from flowork.doctor.services import (
    check_engine,
    check_exposure,
    check_gateway,
    service_secret,
)
from flowork.doctor.software import check_software
from flowork.places import Address
from flowork.supervisor import secrets
from shared import software as floors


def levels(findings: list[software.Finding]) -> dict[str, Level]:
    return {finding.topic: finding.level for finding in findings}


def test_what_is_installed_here_is_good_enough() -> None:
    assert Level.FAIL not in levels(check_software()).values()


def test_an_old_or_missing_package_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(floors.FLOORS, "aiohttp", "99")
    monkeypatch.setitem(floors.FLOORS, "no-such-package", "1")
    monkeypatch.setitem(floors.CEILINGS, "gunicorn", "2")
    found = levels(check_software())
    assert [found[name] for name in ("aiohttp", "no-such-package", "gunicorn")] == [Level.FAIL] * 3


def test_the_data_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    assert levels(check_folder(folder)) == {"data folder": Level.NOTE}
    folder.mkdir(mode=0o700)
    secrets.load_or_create(folder)
    assert levels(check_folder(folder)) == {"data folder": Level.OK, "secrets": Level.OK}
    folder.chmod(0o755)
    (folder / secrets.FILE).chmod(0o644)
    assert levels(check_folder(folder)) == {"data folder": Level.WARN, "secrets": Level.FAIL}
    assert service_secret({}, folder).startswith("flork_sec_")
    assert service_secret({"GATEWAY_SECRET_TOKEN": "own"}, folder) == "own"
    assert service_secret({}, tmp_path) == ""


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    assert levels(check_gateway(url)) == {"gateway": Level.WARN}
    assert levels(check_engine(Address(url, "ws://x"), "secret")) == {"engine": Level.WARN}
    assert levels(check_engine(None, "")) == {"engine": Level.NOTE}


def test_what_is_open_to_the_world_should_insist_on_bound_signatures() -> None:
    assert set(levels(check_exposure({})).values()) == {Level.OK}
    open_wide = {"ENGINE_SOCKET_HOST": "0.0.0.0", "GATEWAY_HOST": "example.org"}
    assert set(levels(check_exposure(open_wide)).values()) == {Level.WARN}
    bound = open_wide | {"ENGINE_ENVELOPE": "bound", "GATEWAY_SIGNATURES": "bound"}
    assert set(levels(check_exposure(bound)).values()) == {Level.OK}


def test_isolation() -> None:
    assert judge_isolation("landlock").level is Level.OK
    assert judge_isolation("none").level is Level.WARN
    told = probe_isolation(dict(os.environ))
    assert told.text != "unknown", "the engine's code could not be asked"
