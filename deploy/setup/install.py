"""Installs a hashed requirements file and the project itself into the environment whose Python runs this.

Usage: ``.venv/bin/python install.py REQUIREMENTS [--no-project]``. The fast installer is tried first and pip is the
fall-back; both refuse what does not match its hash. Package sources are those that the user's pip is set up for.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "requirements" / "bootstrap.txt"
STEP_SECONDS = 1800
SHOWN_LINES = 12

PIP = [sys.executable, "-m", "pip", "--quiet", "--no-input", "--disable-pip-version-check"]
UV = [str(Path(sys.executable).with_name("uv.exe" if os.name == "nt" else "uv")), "pip", "install", "--quiet"]
HASHED = ["--require-hashes", "-r"]
NO_PROJECT = "--no-project"
PROJECT = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]


def main() -> int:
    """Install; return 0, or 1 after a readable message."""
    if sys.argv[2:] not in ([], [NO_PROJECT]) or not Path(sys.argv[1] if sys.argv[1:] else "").is_file():
        return _fail("usage: install.py REQUIREMENTS [--no-project] (an existing file)", "")
    requirements = Path(sys.argv[1])
    started = time.monotonic()
    count = sum(1 for line in requirements.read_text("utf-8").splitlines() if "==" in line)
    print(f"flowork: installing {count} packages (first time, or after a change) …", flush=True)
    if importlib.util.find_spec("pip") is None:
        _run([sys.executable, "-m", "ensurepip", "--default-pip"])
    steps = [[*HASHED, str(requirements)]] + ([] if NO_PROJECT in sys.argv else [PROJECT])
    for arguments in steps:
        code, output = _install(arguments)
        if code:
            return _fail("the installation failed; see the last lines above", output)
    print(f"flowork: installed in {time.monotonic() - started:.0f} s", flush=True)
    return 0


def _install(arguments: list[str]) -> tuple[int, str]:
    """Install with the fast installer, or with pip where that one is not to be had or fails."""
    if _fast_installer():
        code, output = _run([*UV, "--python", sys.executable, *arguments], _fast_environment())
        if code == 0:
            return code, output
        print("flowork: the fast installer failed, trying pip …", flush=True)
    return _run([*PIP, "install", *arguments])


def _fast_installer() -> bool:
    return Path(UV[0]).is_file() or _run([*PIP, "install", *HASHED, str(BOOTSTRAP)])[0] == 0


def _fast_environment() -> dict[str, str]:
    """Return the environment in which the fast installer uses the package sources that pip is set up for."""
    configured: dict[str, list[str]] = {}
    for line in _run([*PIP, "config", "list"])[1].splitlines():
        name, _, value = line.partition("=")
        values = value.strip("'\"").replace("\\n", " ").split()
        configured[name.strip(":").rpartition(".")[2]] = values
    environment = dict(os.environ)
    for option, variable in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_INDEX"),
        ("find-links", "UV_FIND_LINKS"),
        ("cert", "SSL_CERT_FILE"),
    ):
        if option in configured:
            separator = "," if option == "find-links" else " "
            environment.setdefault(variable, separator.join(configured[option]))
    # Several sources are one pool to pip; with every file pinned by hash this is as safe as the stricter rule.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    environment["UV_NO_PROGRESS"] = "1"
    return environment


def _run(command: list[str], environment: dict[str, str] | None = None) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"no end after {STEP_SECONDS} s"
    except OSError as error:
        return 1, str(error)
    return done.returncode, done.stdout


def _fail(message: str, output: str) -> int:
    for line in output.strip().splitlines()[-SHOWN_LINES:]:
        print(f"  {line}", file=sys.stderr)
    print(f"flowork: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
