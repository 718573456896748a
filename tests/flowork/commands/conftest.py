"""One running platform for the verbs that talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flowork.cli import cli
from tests.support.platform import Platform, running_platform

Verb = Callable[..., Result]


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running_platform(tmp_path_factory.mktemp("platform")) as platform:
        yield platform


@pytest.fixture
def flowork(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verb:
    """Return the command line as the platform's owner uses it, on the machine where the platform runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOWORK_DATA_DIR", str(platform.folder))
    monkeypatch.setenv("FLOWORK_PRIVATE_KEY", platform.owner.private_key_hex())
    monkeypatch.setenv("GATEWAY_SECRET_TOKEN", platform.secret)

    def run(*words: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, words, input=typed)

    return run
