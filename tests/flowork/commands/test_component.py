"""The workbench of authors: from an empty folder to a signed package, and the page that tells how."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core_engine.components.isolation import rungs
from flowork.cli import cli
from shared.signing.components import component_author
from shared.signing.keys import WalletKey

PAGE = Path(__file__).parents[3] / "docs" / "add-a-component.md"
KEY = WalletKey.from_hex("4" * 64)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FLOWORK_PRIVATE_KEY", KEY.private_key_hex())
    return tmp_path


def flowork(*words: str) -> Result:
    return CliRunner().invoke(cli, ["component", *words])


def require_isolation() -> None:
    if not rungs.suffices(rungs.detect(), rungs.Task.COMPONENT):
        pytest.skip("this machine offers neither bubblewrap nor Landlock: code of others is refused")


def test_a_new_component_passes_its_own_check_and_runs(at_home: Path) -> None:
    require_isolation()
    assert flowork("new", "first_try").exit_code == 0
    checked = json.loads(flowork("check", "first_try", "--json").stdout)
    assert (checked["id"], checked["hints"], checked["author"]) == ("first_try", [], None)
    tried = json.loads(flowork("test", "first_try", "--json").stdout)
    assert tried["runs"]["EXECUTE"]["outputs"]["success"]["data"]["message"] == "Welcome, Ada!"
    assert any("Isolation: " in line for line in tried["runs"]["SIMULATE"]["log"])
    again = flowork("new", "first_try")
    assert (again.exit_code, "there already" in again.stderr) == (73, True)
    assert flowork("new", "../x").exit_code == 65


def test_the_worked_example_of_the_page_does_what_the_page_says(at_home: Path) -> None:
    require_isolation()
    text = PAGE.read_text("utf-8")
    files = re.findall(r"`(word_count/[a-z.]+)`\n\n```(?:json|python)\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in files] == ["word_count/manifest.json", "word_count/processor.py"]
    (at_home / "word_count").mkdir()
    for name, content in files:
        (at_home / name).write_text(content)
    promised = re.search(r"word_count` prints\n\n```\n(.*?)```", text, re.DOTALL)
    assert promised is not None
    assert flowork("test", "word_count").stdout == promised[1]


def test_a_package_is_signed_and_always_the_same(at_home: Path) -> None:
    flowork("new", "first_try")
    done = flowork("pack", "first_try", "--sign", "--json")
    assert done.exit_code == 0, done.stderr
    packed = json.loads(done.stdout)
    assert packed["author"] == KEY.address
    file = at_home / "first_try-0.1.0.zip"
    with zipfile.ZipFile(file) as archive:
        signed = json.loads(archive.read("signature.json"))
    assert component_author(signed, "first_try", "0.1.0", packed["hash"]) == KEY.address
    assert flowork("pack", "first_try").exit_code == 73  # nothing is overwritten
    flowork("pack", "first_try", "--output", "again.zip")
    assert (at_home / "again.zip").read_bytes() == file.read_bytes()


def test_what_is_wrong_is_said_in_one_line(at_home: Path) -> None:
    flowork("new", "first_try")
    manifest = at_home / "first_try" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("processor.FirstTry", "processor.Nobody"))
    done = flowork("check", "first_try")
    assert done.exit_code == 65
    assert "no class Nobody" in done.stderr
    (at_home / "first_try" / "signature.json").write_text("{}")
    manifest.write_text(manifest.read_text().replace("processor.Nobody", "processor.FirstTry"))
    assert "signature.json must hold" in flowork("check", "first_try").stderr
