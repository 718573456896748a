"""Environments: the packages of one list of requirements, installed once from wheels, locked by hash, shared."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from core_engine.components.dropin.requirements import environment_key
from shared.errors import ErrorCode, FloworkError

Tell = Callable[[str], None]

LOCK = "requirements.lock"
_MADE = "made.json"
_LOOK_SECONDS = 0.5
_LAST_OUTPUT = 600
_PASSED_ON = (
    "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "PIP_INDEX_URL",
)  # fmt: skip
_LIMITED = (
    "import os,resource,sys;"
    "resource.setrlimit(resource.RLIMIT_FSIZE,(int(sys.argv[1]),)*2);"
    "resource.setrlimit(resource.RLIMIT_CORE,(0,0));"
    "os.execve(sys.argv[2],sys.argv[2:],os.environ)"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where packages come from. ``wheels`` is a folder that takes the place of the package index."""

    wheels: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, wheels: str, environ: Mapping[str, str]) -> Source:
        """Return the source for a setting and the parts of an environment that say how to reach the index."""
        kept = {name: environ[name] for name in _PASSED_ON if environ.get(name)}
        return cls(Path(wheels) if wheels else None, kept)


class Environments:
    """The environments of an engine, in one folder. Equal requirements share one; builds go one after another."""

    def __init__(self, folder: Path, source: Source, *, seconds: float, megabytes: int) -> None:
        self._folder = folder
        self._source = source
        self._seconds = seconds
        self._most = megabytes * 1024 * 1024
        self._building = asyncio.Lock()

    def site(self, requirements: Sequence[str]) -> Path | None:
        """Return the folder of the packages, or None as long as it was not built. Blocks for the disk."""
        home = self._folder / environment_key(requirements)
        return home / "site" if (home / _MADE).is_file() else None

    async def build(self, requirements: Sequence[str], tell: Tell, *, anew: bool = False) -> Path:
        """Return the folder of the packages, built where it is missing or wanted ``anew``.

        An existing lock file decides about versions and hashes. Raises COMPONENT_FAILED with what the installer said,
        DEADLINE_EXCEEDED, TOO_LARGE.
        """
        async with self._building:
            known = await asyncio.to_thread(self.site, requirements)
            if known is not None and not anew:
                return known
            home = self._folder / environment_key(requirements)
            await asyncio.to_thread(self._folder.mkdir, parents=True, exist_ok=True)
            room = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".new-", dir=self._folder))
            try:
                await self._fill(room, home / LOCK, requirements, tell)
                await asyncio.to_thread(_take_place, room, home)
            finally:
                await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)
            return home / "site"

    async def _fill(self, room: Path, old_lock: Path, requirements: Sequence[str], tell: Tell) -> None:
        wanted, lock = room / "requirements.txt", room / LOCK
        await asyncio.to_thread(wanted.write_text, "\n".join(requirements) + "\n")
        tool = _Tool.find(self._source)
        async with asyncio.timeout(self._seconds + 30):
            if await asyncio.to_thread(old_lock.is_file):
                tell("Using the versions that were locked before.")
                await asyncio.to_thread(shutil.copyfile, old_lock, lock)
            else:
                tell(f"Choosing versions for {', '.join(requirements)}.")
                output = await self._run(room, tool.lock(wanted, lock))
                await asyncio.to_thread(tool.write_lock, lock, output)
            locked = await asyncio.to_thread(lock.read_text)
            count = sum(line[:1].isalnum() for line in locked.splitlines())
            tell(f"Installing {count} locked packages from wheels.")
            await self._run(room, tool.install(lock, room / "site"))
        size = await asyncio.to_thread(_size, room)
        made = {"requirements": list(requirements), "bytes": size, "python": sys.version.split()[0]}
        await asyncio.to_thread((room / _MADE).write_text, json.dumps(made))

    async def _run(self, room: Path, argv: list[str]) -> str:
        command = [sys.executable, "-I", "-S", "-c", _LIMITED, str(self._most), *argv]
        environ = {
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(room), "LANG": "C.UTF-8", "TMPDIR": str(room),
            "UV_CACHE_DIR": str(self._folder / ".cache"), "UV_NO_CONFIG": "1", "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CACHE_DIR": str(self._folder / ".cache"),
            **self._source.environ,
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            *command, env=environ, cwd=room, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        waiting = asyncio.create_task(process.communicate(), name="package installer")
        try:
            await self._watch(room, waiting)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            out, err = await waiting
        if process.returncode != 0:
            said = (err.decode("utf-8", "replace").strip() or "nothing")[-_LAST_OUTPUT:]
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED,
                f"The requirements cannot be installed. The installer says: {said}",
            )
        return out.decode("utf-8", "replace")

    async def _watch(self, room: Path, waiting: asyncio.Task[tuple[bytes, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        while not waiting.done():
            await asyncio.wait([waiting], timeout=min(_LOOK_SECONDS, max(0, deadline - loop.time())))
            if await asyncio.to_thread(_size, room) > self._most:
                raise FloworkError(
                    ErrorCode.TOO_LARGE, f"The requirements take more than {self._most // 1024 // 1024} MiB."
                )
            if not waiting.done() and loop.time() >= deadline:
                raise FloworkError(
                    ErrorCode.DEADLINE_EXCEEDED, f"The installation took longer than {self._seconds:g} s."
                )


@dataclass(frozen=True, slots=True)
class _Tool:
    """uv where it is there, else the pip of our own interpreter; both install wheels only and check every hash."""

    uv: str | None
    source: Source

    @classmethod
    def find(cls, source: Source) -> _Tool:
        beside = Path(sys.executable).with_name("uv")
        return cls(str(beside) if beside.is_file() else shutil.which("uv"), source)

    def lock(self, wanted: Path, lock: Path) -> list[str]:
        if self.uv:
            return [
                self.uv, "pip", "compile", "--quiet", "--generate-hashes", "--only-binary", ":all:", "--no-header",
                "--no-annotate", "--python", sys.executable, *self._places(), "-o", str(lock), str(wanted),
            ]  # fmt: skip
        return [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-",
            "--only-binary", ":all:", *self._places(), "-r", str(wanted),
        ]  # fmt: skip

    def write_lock(self, lock: Path, output: str) -> None:
        """Write the lock file where the tool has reported it instead. Blocks."""
        if self.uv:
            return
        lines = []
        for item in json.loads(output)["install"]:
            about, digest = item["metadata"], item["download_info"]["archive_info"]["hashes"]["sha256"]
            lines.append(f"{about['name']}=={about['version']} --hash=sha256:{digest}")
        lock.write_text("\n".join(sorted(lines)) + "\n")

    def install(self, lock: Path, site: Path) -> list[str]:
        begin = (
            [self.uv, "pip", "install", "--python", sys.executable, "--link-mode", "copy"]
            if self.uv
            else None
        )
        begin = begin or [sys.executable, "-m", "pip", "install"]
        return [
            *(word for word in begin if word), "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:",
            "--target", str(site), *self._places(), "-r", str(lock),
        ]  # fmt: skip

    def _places(self) -> list[str]:
        return ["--no-index", "--find-links", str(self.source.wheels)] if self.source.wheels else []


def _take_place(room: Path, home: Path) -> None:
    old = home.with_name(f".old-{home.name}")
    shutil.rmtree(old, ignore_errors=True)
    with suppress(FileNotFoundError):
        home.rename(old)
    room.rename(home)
    shutil.rmtree(old, ignore_errors=True)


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # what is being installed comes and goes
                total += (Path(place) / name).lstat().st_size
    return total
