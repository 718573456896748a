"""``python -m gateway`` as a supervisor sees it: where it is, when it stops, how it refuses."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway import serve
from shared import logs
from shared.signing.keys import WalletKey
from tests.gateway.support import ROOT, environment, gui, process

MODES = ["threading", "eventlet"]
CONFIGURATION = 78


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_where_it_is_and_stops_when_told(
    tmp_path: Path, wallet: WalletKey, mode: str, number: signal.Signals
) -> None:
    with process(["-m", "gateway"], tmp_path, GATEWAY_ASYNC_MODE=mode) as gateway:
        assert gateway.process is not None
        assert gateway.send("GET", "/api/v1/system/health").status_code == 200
        async with gui(gateway, wallet) as page:
            started = time.monotonic()
            gateway.process.send_signal(number)
            await page.wait_closed(20.0)
        assert gateway.process.wait(30) == 0
        assert time.monotonic() - started < 20.0
    assert not (tmp_path / "gateway" / "address.json").exists()
    log = (tmp_path / "log.txt").read_text()
    assert f"gateway ready  url={gateway.url}" in log
    assert "Traceback" not in log
    assert "Warning" not in log


def test_it_keeps_what_it_knew(tmp_path: Path, wallet: WalletKey) -> None:
    for names in ([], ["first"], ["first", "second"]):
        with process(["-m", "gateway"], tmp_path, GATEWAY_ASYNC_MODE="threading") as gateway:
            assert [item["name"] for item in gateway.call(wallet, "GET", "/user/engines").json()] == names
            gateway.register_engine(wallet, ["first", "second", "third"][len(names)])
            assert gateway.process is not None
            gateway.process.kill()
            gateway.process.wait(10)


CASES = [
    ({"GATEWAY_PORTT": "1"}, "unknown setting GATEWAY_PORTT, did you mean GATEWAY_PORT?"),
    ({"GATEWAY_PORT": "many"}, "GATEWAY_PORT: "),
    ({"GATEWAY_ASYNC_MODE": "asyncio"}, "GATEWAY_ASYNC_MODE: "),
    ({"GATEWAY_BUNDLED_ENGINE_ID": "eng-1"}, "needs GATEWAY_BUNDLED_ENGINE_TOKEN"),
    ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is not a database URL"),
    ({"DATABASE_URL": "sqlite:////no/such/folder/x.db"}, "The gateway's database cannot be used: "),
    ({"FLOWORK_DATA_DIR": "/dev/null/x"}, "The data folder /dev/null/x/gateway cannot be used: "),
    ({"GATEWAY_HOST": "203.0.113.7", "GATEWAY_PORT": "8000"}, "Cannot listen on 203.0.113.7, port 8000: "),
]


@pytest.mark.parametrize(("environ", "reason"), CASES, ids=[next(iter(case[0])) for case in CASES])
def test_wrong_settings_end_it_with_a_reason(
    tmp_path: Path,
    environ: dict[str, str],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(logs, "configure", lambda *_args, **_options: None)
    given = {"FLOWORK_DATA_DIR": str(tmp_path), "GATEWAY_ASYNC_MODE": "threading", "GATEWAY_PORT": "0"}
    assert serve.main(given | environ) == CONFIGURATION
    assert reason in capsys.readouterr().err
    assert not list(tmp_path.rglob("address.json"))


@pytest.mark.parametrize("mode", MODES)
def test_a_port_that_is_taken_is_said_so(tmp_path: Path, mode: str) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "gateway"],
            cwd=ROOT,
            env=environment(tmp_path, GATEWAY_PORT=port, GATEWAY_ASYNC_MODE=mode),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == CONFIGURATION
    assert done.stderr == (
        f"flowork gateway: Cannot listen on 127.0.0.1, port {port}: Address already in use. "
        "Set GATEWAY_PORT (0 picks a free port).\n"
    )
