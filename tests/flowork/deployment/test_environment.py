"""The secrets that a new installation gets."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from flowork.cli import cli
from flowork.deployment import environment
from flowork.dotenv import parse
from shared.errors import ErrorCode, FloworkError
from tests.support.platform import ROOT

RANDOM = {
    "GATEWAY_SECRET_TOKEN": r"flork_sec_[0-9a-f]{64}",
    "FLOWORK_ENGINE_ID": r"[0-9a-f-]{36}",
    "FLOWORK_ENGINE_TOKEN": r"dev_engine_[0-9a-f]{32}",
    "FLOWORK_CLAIM_CODE": r"[\w-]{22}",
    "ENGINE_MASTER_KEY": r"[0-9a-f]{64}",
    "POSTGRES_PASSWORD": r"[0-9a-f]{48}",
    "REDIS_PASSWORD": r"[0-9a-f]{48}",
    "ENGINE_WORKER_SECRET": r"[0-9a-f]{64}",
    "FLOWORK_METRICS_TOKEN": r"flork_metrics_[0-9a-f]{48}",
    "GRAFANA_PASSWORD": r"[0-9a-f]{24}",
}


def test_every_secret_is_random() -> None:
    one, other = parse(environment.render()), parse(environment.render())
    for name, shape in RANDOM.items():
        assert re.fullmatch(shape, one[name]), name
        assert one[name] != other[name]


def test_it_gives_all_that_the_compose_file_insists_on() -> None:
    files = ("docker-compose.yml", "deploy/docker/scale.yml", "deploy/observability/compose.yml")
    wanted = {name for file in files for name in re.findall(r"\$\{(\w+):\?", (ROOT / file).read_text())}
    assert len(wanted) >= 7
    given = parse(environment.render())
    assert all(given.get(name) for name in wanted)


def test_the_compose_file_gives_no_secret_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    secret = "SECRET|TOKEN|PASSWORD|MASTER_KEY|CLAIM_CODE"
    defaults = re.findall(rf"\$\{{\w*(?:{secret})\w*:-([^}}]*)\}}", text)
    assert len(defaults) >= 5
    assert set(defaults) == {""}


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    environment.write(path)
    before = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FloworkError) as refused:
        environment.write(path)
    assert refused.value.code is ErrorCode.CONFLICT
    assert path.read_text() == before
    done = CliRunner().invoke(cli, ["env", "--output", str(path)])
    assert done.exit_code != 0
    assert "exists already" in done.stderr
    assert path.read_text() == before


def test_sent_into_a_file_by_the_shell_it_is_readable_by_nobody_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flowork", "env"]
    path = tmp_path / "secrets"
    with path.open("w") as output:
        subprocess.run(
            command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stdout=output, check=True, timeout=60
        )
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(RANDOM) < set(parse(path.read_text()))
