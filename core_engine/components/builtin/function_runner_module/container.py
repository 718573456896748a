"""A person's Python in a container of its own: no network, read-only, limited, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from core_engine.components.builtin.docker_container.component import DockerConfig, on_own_thread
from core_engine.components.builtin.docker_container.job import Job
from core_engine.components.builtin.function_runner_module.container_main import MARK, PART
from core_engine.components.isolation import frames
from core_engine.components.isolation.process import OnLog
from core_engine.components.isolation.rungs import Openings
from core_engine.components.isolation.sandbox import Bounds
from core_engine.components.isolation.tasks import function
from core_engine.kernel.context import LogLevel
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

PLACE = "/flowork"
LARGEST_KIB = 4096
_LEVELS: Mapping[str, LogLevel] = {
    "DEBUG": "DEBUG", "INFO": "INFO", "SUCCESS": "SUCCESS", "WARN": "WARN", "ERROR": "ERROR",
}  # fmt: skip


async def call_in_container(  # noqa: PLR0913 - what a call consists of
    request: dict[str, Any], image: str, bounds: Bounds, openings: Openings, *, key: str, on_log: OnLog
) -> Any:
    """Return what the code gives back. Raises FloworkError: SANDBOX_UNAVAILABLE without Docker, COMPONENT_FAILED."""
    config = _config(image, bounds, openings)
    with furnished(request) as folder:
        folders = {PLACE: folder} | {name: Path(name) for name in (*openings.readable, *openings.writable)}
        job = Job(config, folders, key, _levelled(on_log), answers=True)
        done = await on_own_thread(job)
    return _value(done, bounds)


def _config(image: str, bounds: Bounds, openings: Openings) -> DockerConfig:
    opened = [(name, False) for name in openings.readable] + [(name, True) for name in openings.writable]
    mounts = [{"folder": name, "target": name, "write": write} for name, write in opened]
    try:
        return DockerConfig(
            image=image,
            command=f"python3 -I -B {PLACE}/container_main.py",
            mounts=mounts,
            memory_mb=bounds.memory_mb,
            timeout_seconds=bounds.seconds,
            max_output_kib=LARGEST_KIB,
        )
    except ValidationError as error:
        fields = ", ".join(sorted({str(item["loc"][0]) for item in error.errors(include_url=False)}))
        message = f"This cannot be done in a container: {fields}; folders need plain names there."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message) from error


@contextmanager
def furnished(request: dict[str, Any]) -> Iterator[Path]:
    """Yield a folder with the request and what serves it, for the container to see, whoever its user is.

    Nobody else on this machine sees it: the folder around it, which the container does not have, is closed to them.
    """
    body = frames.encode(request)[frames.HEADER_BYTES :]
    if len(body) > frames.MAX_REQUEST_BYTES:
        limit = frames.MAX_REQUEST_BYTES // (1024 * 1024)
        raise FloworkError(ErrorCode.TOO_LARGE, f"An isolated step takes at most {limit} MiB.")
    with tempfile.TemporaryDirectory(prefix="flowork-code-") as closed:
        folder = Path(closed) / "open"
        folder.mkdir()
        (folder / "request.json").write_bytes(body)
        for source in (Path(function.__file__), Path(__file__).with_name("container_main.py")):
            shutil.copyfile(source, folder / source.name)
        for path in folder.iterdir():
            path.chmod(0o644)
        folder.chmod(0o755)
        yield folder


def _levelled(on_log: OnLog) -> OnLog:
    def log(message: str, level: LogLevel) -> None:
        name, part, text = message.removeprefix(MARK).partition(PART)
        if message.startswith(MARK) and part:
            on_log(text, _LEVELS.get(name, "INFO"))
        else:
            on_log(message, level)

    return log


def _value(done: dict[str, Any], bounds: Bounds) -> Any:
    told = done["stdout"]
    if done["cut"]:
        raise FloworkError(
            ErrorCode.TOO_LARGE, f"The result or the prints are larger than {LARGEST_KIB // 1024} MiB."
        )
    try:
        check_depth(told.encode(errors="surrogatepass"), MAX_DEPTH)
        answer = msgspec.json.decode(told.strip() or "null")
    except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
        raise _failed("protocol", "it answered wrongly") from error
    if isinstance(answer, dict) and "value" in answer:
        return answer["value"]
    if isinstance(answer, dict) and "error" in answer:
        raise _failed("error", str(answer["error"]))
    code = done["exit_code"]
    raise _failed("ended", f"it ended without a result (exit code {code}, {bounds.memory_mb} MiB)")


def _failed(reason: str, message: str) -> FloworkError:
    return FloworkError(
        ErrorCode.COMPONENT_FAILED, f"The code failed: {message}.", details={"reason": reason}
    )
