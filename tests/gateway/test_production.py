"""The gateway under gunicorn with the settings that are shipped, in both of its workers."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.signing.keys import WalletKey
from tests.gateway.support import ROOT, engine, environment, gui, process

SECRET = "flork_sec_" + "7" * 16
GUNICORN = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "gateway.wsgi:app"]


@pytest.mark.parametrize("mode", ["eventlet", "threading"])
async def test_it_serves_and_stops_quickly(tmp_path: Path, wallet: WalletKey, mode: str) -> None:
    given = {"GATEWAY_ASYNC_MODE": mode, "GATEWAY_SECRET_TOKEN": SECRET, "GATEWAY_LOG_FORMAT": "json"}
    with process([*GUNICORN, "--graceful-timeout", "60"], tmp_path, **given) as gateway:
        assert gateway.process is not None
        assert gateway.send("GET", "/api/v1/system/health").status_code == 200
        engine_id, token = gateway.register_engine(wallet)
        headers = {"Authorization": f"Bearer {token}", "X-API-Key": SECRET}
        async with (
            gui(gateway, wallet) as page,
            gui(gateway, wallet, transports=["polling"]) as slow,
            engine(gateway, engine_id, token, headers=headers) as link,
        ):
            await page.next("engine_status_update", engine_id=engine_id, status="online")
            vitals = {"engine_id": engine_id, "cpu_percent": 1, "memory_percent": 2}
            await link.emit("engine_vitals_update", vitals)
            for each in (page, slow):
                await each.next("engine_vitals_update", engine_id=engine_id)
            started = time.monotonic()
            gateway.process.terminate()
            await link.wait_closed(10.0)
        assert gateway.process.wait(70) == 0
        assert time.monotonic() - started < 20.0
    assert not (tmp_path / "gateway" / "address.json").exists()
    log = (tmp_path / "log.txt").read_text()
    assert log.count('"message": "gateway ready"') == 1
    assert log.count("Booting worker") == 1
    assert "Traceback" not in log
    assert "monkey_patch" not in log
    assert "sid=" not in log
    assert token not in log
    assert SECRET not in log


@pytest.mark.parametrize(
    ("environ", "arguments", "reason"),
    [
        ({}, [], "GATEWAY_SECRET_TOKEN is not set."),
        ({"GATEWAY_SECRET_TOKEN": SECRET, "GATEWAY_PORTT": "1"}, [], "unknown setting GATEWAY_PORTT"),
        (
            {"GATEWAY_SECRET_TOKEN": SECRET},
            ["--workers", "2"],
            "Set the number of processes by GATEWAY_WORKERS",
        ),
        (
            {"GATEWAY_SECRET_TOKEN": SECRET},
            ["--forwarder-headers", "SCRIPT_NAME"],
            "takes scheme and path from no header",
        ),
    ],
)
def test_it_refuses_what_is_not_fit_for_production(
    tmp_path: Path, environ: dict[str, str], arguments: list[str], reason: str
) -> None:
    done = subprocess.run(
        [sys.executable, *GUNICORN, *arguments],
        cwd=ROOT,
        env=environment(tmp_path, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


READ = """
import runpy
from gunicorn.config import Config
from gunicorn.http import get_parser

settings = runpy.run_path("deploy/gunicorn.conf.py")
read = Config()
for name in read.settings.keys() & settings.keys():
    read.set(name, settings[name])
text = (
    b"GET /a HTTP/1.1\\r\\nHost: h\\r\\nX-Forwarded-Proto: https\\r\\nX-Forwarded-Ssl: on\\r\\n"
    b"X-Forwarded-Protocol: ssl\\r\\nSCRIPT_NAME: /a\\r\\nPATH_INFO: /b\\r\\n\\r\\n"
)
request = next(get_parser(read, [text], ("127.0.0.1", 1)))
print(request.scheme, sorted(name for name, _ in request.headers))
"""


def test_scheme_and_path_are_taken_from_no_header(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ],
        cwd=ROOT,
        env=environment(tmp_path, GATEWAY_SECRET_TOKEN=SECRET),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    given = ["HOST", "X-FORWARDED-PROTO", "X-FORWARDED-PROTOCOL", "X-FORWARDED-SSL"]
    assert done.stdout.splitlines()[-1] == f"http {given}"


def test_the_target_alone_refuses_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import gateway.wsgi"],
        cwd=ROOT,
        env=environment(tmp_path, GATEWAY_ASYNC_MODE="threading"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert done.stderr.startswith("flowork gateway: GATEWAY_SECRET_TOKEN is not set.")
