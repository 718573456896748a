"""The machine's Docker engine and a small image on it, for tests that start containers."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import requests
from docker.errors import DockerException, ImageNotFound

from core_engine.components.builtin.docker_container.daemon import connect

IMAGE = "flowork-test-shell:2"
_PROGRAMS = ("sh", "echo", "cat", "sleep", "ls", "id", "touch", "head", "env")


def docker_image() -> str:
    """Return the tag of an image with a shell, made of this machine's own programs.

    Skips the test where no Docker engine answers.
    """
    try:
        client = connect(60)
    except (DockerException, requests.RequestException) as error:
        pytest.skip(f"no Docker engine answers here: {error}")
    try:
        try:
            client.images.get(IMAGE)
        except ImageNotFound:
            repository, tag = IMAGE.split(":")
            client.api.import_image_from_data(_root(), repository=repository, tag=tag)
    finally:
        client.close()
    return IMAGE


def _root() -> bytes:
    files: set[Path] = set()
    for name in _PROGRAMS:
        program = shutil.which(name)
        assert program, name
        files.add(Path(program).resolve())
        told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True, timeout=30).stdout
        files.update(Path(match) for match in re.findall(r"(/\S+)", told))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path in sorted(files):
            tar.add(path.resolve(), str(path).lstrip("/"), recursive=False)
        for name in _PROGRAMS:
            program = Path(shutil.which(name) or name).resolve()
            for folder in ("bin", "usr/bin"):
                if (Path("/") / folder / name) != program:
                    tar.add(program, f"{folder}/{name}", recursive=False)
    return packed.getvalue()
