"""docs/api.md: every example is run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.signing.keys import WalletKey
from tests.gateway.support import ROOT, Gateway, in_process
from tests.support import node

PAGE = (ROOT / "docs" / "api.md").read_text()
WRITTEN = "http://127.0.0.1:8000"


def examples(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with in_process(tmp_path / "data") as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, gateway: Gateway) -> dict[str, str]:
    """A shell with the command line and an identity of its own."""
    programs = tmp_path / "bin"
    programs.mkdir()
    launcher = programs / "flowork"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -m flowork "$@"\n')
    launcher.chmod(0o755)
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("FLOWORK_", "GATEWAY_"))
    }
    environment = clean | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FLOWORK_HOME": str(tmp_path / "home"),
        "FLOWORK_PASSPHRASE": "correct horse",
    }
    subprocess.run(
        ["flowork", "identity", "create"], env=environment, cwd=tmp_path, check=True, capture_output=True
    )
    return environment


def test_the_curl_examples(tmp_path: Path, gateway: Gateway, shell: dict[str, str]) -> None:
    script = "set -eo pipefail\n" + "\necho\n".join(examples("sh")).replace(WRITTEN, gateway.url)
    done = subprocess.run(
        ["bash", "-c", script],
        env=shell,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    health, profile, registered, checked = done.stdout.strip().splitlines()
    assert '"status":"healthy"' in health
    assert '"public_address":"0x' in profile
    assert '"name":"My laptop"' in registered
    assert "raw_token" in registered
    assert checked.startswith("2 entries, unbroken.")


def test_the_javascript_examples(tmp_path: Path, gateway: Gateway) -> None:
    folder, environment = node.install(node.SCRIPTS, "node-clients", "JavaScript clients")
    script = folder / f"api-{tmp_path.parent.name}-{tmp_path.name}-{os.getpid()}.mjs"
    script.write_text("\n".join(examples("js")).replace(WRITTEN, gateway.url))
    wallet = WalletKey.create()[0]
    try:
        done = subprocess.run(
            ["node", str(script)],
            env=environment | {"KEY": wallet.private_key_hex()},
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
    finally:
        script.unlink()
    assert done.returncode == 0, done.stderr
    (engine,) = gateway.call(wallet, "GET", "/user/engines").json()
    assert engine["name"] == "Renamed"
    assert "404 NOT_FOUND You have no engine of this id." in done.stdout
    assert f"{engine['id']} offline" in done.stdout
