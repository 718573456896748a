"""A disk whose syncs fail with EIO under the engine process as it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.core_engine.engine import chain
from tests.core_engine.test_app import process
from tests.faults.asking import ask
from tests.faults.preload import build
from tests.faults.test_full_disk import until


@pytest.fixture
def preload(tmp_path: Path) -> dict[str, str]:
    """The environment of a process whose disk can be made faulty."""
    return {"LD_PRELOAD": build("faulty_disk.c", tmp_path), "FAULTY_DISK": str(tmp_path / "faulty")}


def test_a_disk_that_cannot_sync_ends_the_engine_with_70_and_loses_nothing(
    tmp_path: Path, preload: dict[str, str]
) -> None:
    """F11."""
    data = tmp_path / "data"
    with process(data, **preload) as engine, connect(engine.url) as client:
        kept = ask(client, "execute_workflow", job_id="kept", workflow_data=chain(2))
        assert kept["type"] == "workflow_status_update"
        until(lambda: ask(client, "get_run", job_id="kept")["run"]["status"] == "SUCCEEDED")
        Path(preload["FAULTY_DISK"]).touch()
        try:
            told = ask(client, "execute_workflow", job_id="doubtful", workflow_data=chain(2))
        except ConnectionClosed:
            told = {"type": "error", "code": "INTERNAL"}
        assert (told["type"], told["code"]) == ("error", "INTERNAL"), "never acknowledged"
        assert engine.popen.wait(30) == 70
        assert "disk failed" in engine.log.read_text()
    Path(preload["FAULTY_DISK"]).unlink()
    with process(data, **preload) as engine, connect(engine.url) as client:
        assert ask(client, "get_run", job_id="kept")["run"]["status"] == "SUCCEEDED"
        ask(client, "execute_workflow", job_id="doubtful", workflow_data=chain(2))
        until(lambda: ask(client, "get_run", job_id="doubtful")["run"]["status"] == "SUCCEEDED")
