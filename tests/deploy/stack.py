"""The stack of docker-compose.yml under a name and on ports of a test's own, used from outside by the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from flowork.deployment import environment
from flowork.dotenv import parse
from shared.ids import new_id
from shared.signing.keys import WalletKey
from tests.support.platform import ROOT, wait_for

BUILD_SECONDS = 1500
STEP_SECONDS = 240
FILES = ["docker-compose.yml", "deploy/docker/engine-socket.yml"]
CORE, GATEWAY = "flowork_core", "flowork_gateway"


def compose_program() -> list[str]:
    """Return how to call Compose; skips the test where it or a Docker engine is missing, or it was not asked for."""
    if os.environ.get("FLOWORK_TEST_DOCKER") != "1":
        pytest.skip("the container tests take minutes: FLOWORK_TEST_DOCKER=1 runs them")
    if shutil.which("docker") is None:
        pytest.skip("Docker is not installed: docker was not found")
    for program in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(program[0]) and _succeeds([*program, "version"]):
            break
    else:
        pytest.skip("Compose is not installed: neither docker compose nor docker-compose answers")
    if not _succeeds(["docker", "info"]):
        pytest.skip("no Docker engine answers here")
    return program


@dataclass
class Stack:
    """One running installation and its owner-to-be."""

    program: list[str]
    folder: Path
    project: str
    settings: dict[str, str]
    owner: WalletKey = field(default_factory=lambda: WalletKey.create()[0])

    def compose(
        self, *words: str, seconds: int = STEP_SECONDS, check: bool = True, given: str | None = None
    ) -> str:
        """Call Compose for this project, with an input if one is given; return what it printed."""
        files = [word for name in FILES for word in ("-f", str(ROOT / name))]
        files += ["-f", str(self.folder / "override.yml")]
        options = [
            "--project-directory",
            str(ROOT),
            "--env-file",
            str(self.folder / ".env"),
            "-p",
            self.project,
        ]
        command = [*self.program, *files, *options, *words]
        done = subprocess.run(
            command,
            env=_plain(os.environ),
            input=given or "",
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{words}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def flowork(self, *words: str) -> str:
        """Call the command line from outside the containers; return what it printed."""
        environ = _plain(os.environ) | {
            "PYTHONPATH": str(ROOT),
            "FLOWORK_HOME": str(self.folder / "home"),
            "FLOWORK_PRIVATE_KEY": self.owner.private_key_hex(),
            "GATEWAY_URL": self.settings["GATEWAY_PUBLIC_URL"],
            "FLOWORK_ENGINE_SOCKET": f"ws://{self.settings['FLOWORK_PUBLISH_SOCKET']}",
        }
        command = [sys.executable, "-m", "flowork", *words]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, (
            f"{words}: {done.stdout}\n{done.stderr}\n{self.compose('logs', '--tail', '40')}"
        )
        return done.stdout

    def inspect(self, service: str) -> dict[str, Any]:
        """Return what Docker says about the container of a service."""
        container = self.compose("ps", "-q", service).strip()
        told = subprocess.run(["docker", "inspect", container], capture_output=True, check=True, timeout=60)
        (found,) = json.loads(told.stdout)
        return dict(found)

    def wait_healthy(self, service: str) -> None:
        """Wait until Docker calls the service healthy."""
        wait_for(
            lambda: self.inspect(service)["State"]["Health"]["Status"] == "healthy",
            f"{service} to be healthy",
            180,
        )

    def wait_online(self) -> None:
        """Wait until the gateway shows the engine online."""
        wait_for(
            lambda: json.loads(self.flowork("engines", "list", "--json"))[0]["status"] == "online",
            "the engine to be online",
            120,
        )

    def claim_link(self) -> str:
        """Return the link that the engine printed at its start."""
        found = re.search(r"Claim this engine, once: (\S+)", self.compose("logs", "--no-color", CORE))
        assert found, self.compose("logs", "--no-color", CORE)
        return found[1]


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Build the images, start gateway and engine, and take everything away again, volumes too."""
    program = compose_program()
    gateway, engine = _free_port(), _free_port()
    chosen = {
        "FLOWORK_PUBLISH": f"127.0.0.1:{gateway}",
        "GATEWAY_PUBLIC_URL": f"http://127.0.0.1:{gateway}",
        "FLOWORK_PUBLISH_SOCKET": f"127.0.0.1:{engine}",
    }
    settings = parse(environment.render()) | chosen
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    (folder / "override.yml").write_text(
        "services: {flowork_core: {environment: {ENGINE_RECONNECT_MAX_SECONDS: 1}}}"
    )
    stack = Stack(program, folder, f"flowork-test-{new_id()[:8]}", settings)
    try:
        stack.compose("build", *_build_arguments(), seconds=BUILD_SECONDS)
        stack.compose("up", "-d")
        for service in (GATEWAY, CORE):
            stack.wait_healthy(service)
        yield stack
    finally:
        stack.compose("--profile", "backup", "down", "--volumes", "--timeout", "20", check=False)


def _build_arguments() -> list[str]:
    # A network that inspects TLS: node wants to be told of its certificate.
    certificate = os.environ.get("NODE_EXTRA_CA_CERTS")
    return ["--build-arg", f"NODE_EXTRA_CA_CERTS={certificate}"] if certificate else []


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings of a platform that really runs here."""
    ours = ("GATEWAY_", "ENGINE_", "FLOWORK_", "DATABASE_", "REDIS_", "COMPOSE_")
    return {name: value for name, value in environ.items() if not name.startswith(ours)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
