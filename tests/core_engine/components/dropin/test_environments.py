"""Requirements: wheels only, locked by hash, installed once, within limits; the real installer, no network."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from core_engine.components.dropin import environments as module
from core_engine.components.dropin.environments import Environments, Source
from core_engine.components.dropin.installer import Installer, Order
from core_engine.components.dropin.requirements import environment_key
from core_engine.kernel.payload import Payload
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.components.dropin.conftest import build_wheel

NEEDS = ("oldsaying>=1",)
SAYS = """
import oldsaying
class Greeter:
    def __init__(self, component_id, services): pass
    def execute(self, payload, config, status_updater, mode="EXECUTE", **kwargs):
        return {"payload": {"data": oldsaying.say()}}
"""


def silent(_: str) -> None:
    pass


async def test_a_dependency_is_installed_locked_and_used(installer: Installer, write, step) -> None:
    write(code=SAYS, files={"requirements.txt": "oldsaying>=1\n"})
    installer.shelf.rescan()
    assert installer.shelf.find("greeter") is None
    told: list[str] = []
    await installer.install(
        Order("greeter", None), "0xme", lambda stage, text: told.append(f"{stage}: {text}")
    )
    assert "requirements: Installing 1 locked packages from wheels." in told
    component = installer.shelf.find("greeter")
    result = await component.call(step, component.parse_config({}), Payload())
    assert result.outputs["success"].data == "Make hay."


@pytest.mark.parametrize("with_uv", [True, False])
async def test_both_installers_lock_what_they_choose(
    environments: Environments, wheels: Path, monkeypatch: pytest.MonkeyPatch, *, with_uv: bool
) -> None:
    if not with_uv:
        monkeypatch.setattr(module._Tool, "find", classmethod(lambda cls, source: cls(None, source)))
    elif module._Tool.find(Source()).uv is None:
        pytest.skip("uv is not installed")
    site = await environments.build(NEEDS, silent)
    lock = (site.parent / "requirements.lock").read_text()
    assert "oldsaying==1.2" in lock
    assert "--hash=sha256:" in lock
    assert (site / "oldsaying.py").is_file()
    assert environments.site(NEEDS) == site
    build_wheel(wheels, "oldsaying", "1.3", "def say(): return 'Newer.'")
    stamp = (site / "oldsaying.py").stat().st_mtime_ns
    assert await environments.build([" oldsaying >= 1"], silent) == site  # equal requirements share one
    assert (site / "oldsaying.py").stat().st_mtime_ns == stamp
    (site / "oldsaying.py").unlink()
    await environments.build(NEEDS, silent, anew=True)  # repaired from the lock, not brought up to date
    assert "Make hay" in (site / "oldsaying.py").read_text()


async def test_a_wheel_that_changed_is_refused(
    environments: Environments, wheels: Path, tmp_path: Path
) -> None:
    site = await environments.build(NEEDS, silent)
    for old in wheels.iterdir():
        old.unlink()
    build_wheel(wheels, "oldsaying", "1.2", "def say(): return 'Evil.'")
    shutil.rmtree(tmp_path / "environments" / ".cache", ignore_errors=True)
    with pytest.raises(FloworkError, match="installer says"):
        await environments.build(NEEDS, silent, anew=True)
    assert "Make hay" in (site / "oldsaying.py").read_text()  # what was there is still there


async def test_sources_are_never_built(environments: Environments, wheels: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    with zipfile.ZipFile(wheels / "sourceonly-1.0.zip", "w") as archive:
        archive.writestr("sourceonly-1.0/setup.py", f"open({str(mark)!r}, 'w')")
    with pytest.raises(FloworkError) as caught:
        await environments.build(["sourceonly"], silent)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert not mark.exists()
    assert environments.site(["sourceonly"]) is None
    assert not [path for path in (tmp_path / "environments").iterdir() if path.name.startswith(".new-")]


async def test_time_and_room_are_limited(tmp_path: Path, wheels: Path) -> None:
    build_wheel(wheels, "large", "1", "x = '''" + "y" * 3_000_000 + "'''\n")
    small = Environments(tmp_path / "small", Source(wheels), seconds=60, megabytes=1)
    with pytest.raises(FloworkError) as caught:
        await small.build(["large"], silent)
    assert caught.value.code in {ErrorCode.TOO_LARGE, ErrorCode.COMPONENT_FAILED}
    hasty = Environments(tmp_path / "hasty", Source(wheels), seconds=0.001, megabytes=64)
    with pytest.raises(FloworkError) as caught:
        await hasty.build(NEEDS, silent)
    assert caught.value.code is ErrorCode.DEADLINE_EXCEEDED


def test_only_what_reaches_the_index_is_passed_on() -> None:
    source = Source.of("", {"HTTPS_PROXY": "http://p", "FLOWORK_ENGINE_TOKEN": "secret", "UV_INDEX_URL": ""})
    assert source == Source(None, {"HTTPS_PROXY": "http://p"})


def test_the_key_knows_equal_requirements() -> None:
    assert environment_key(["b", "a>=1"]) == environment_key(["A >= 1", "b"])
    assert environment_key(["a>=1"]) != environment_key(["a>=2"])
    assert len(json.dumps(environment_key(["a"]))) == 34
