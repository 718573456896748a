"""Installing components of others from the command line, on a real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.flowork.commands.conftest import Verb


@pytest.fixture
def package(flowork: Verb) -> str:
    """A component that asks for a permission, signed by the engine's owner, in the present folder."""
    assert flowork("component", "new", "first_try").exit_code == 0
    file = Path("first_try/manifest.json")
    manifest = json.loads(file.read_text()) | {"permissions": ["network:api.example.org"]}
    file.write_text(json.dumps(manifest))
    assert flowork("component", "pack", "first_try", "--sign").exit_code == 0
    return f"first_try-{manifest['version']}.zip"


def test_install_list_and_uninstall(flowork: Verb, package: str) -> None:
    assert "No added components" in flowork("component", "list").stderr
    refused = flowork("component", "install", package, typed="n\n")
    assert refused.exit_code == 130
    assert "network:api.example.org" in refused.stderr
    done = flowork("component", "install", package, "--accept", "network:api.example.org", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["is_installed"]
    assert "first_try" in flowork("component", "list").stdout
    (listed,) = json.loads(flowork("component", "list", "--json").stdout)
    assert (listed["id"], listed["is_installed"], listed["is_core"]) == ("first_try", True, False)
    again = flowork("component", "install", package, "--yes")
    assert (again.exit_code, again.stdout.startswith("Installed first_try")) == (0, True)
    assert flowork("component", "uninstall", "first_try", typed="n\n").exit_code == 130
    removed = flowork("component", "uninstall", "first_try", "--yes")
    assert (removed.exit_code, removed.stdout.startswith("Removed first_try")) == (0, True)
    assert flowork("component", "uninstall", "first_try", "--yes").exit_code == 66


def test_what_cannot_be_installed_is_said_in_one_line(flowork: Verb) -> None:
    flowork("component", "new", "first_try")
    folder = flowork("component", "install", "first_try")
    assert (folder.exit_code, "component pack" in folder.stderr) == (65, True)
    assert flowork("component", "install", "missing.zip").exit_code == 66
    assert flowork("component", "install", "no_such_component").exit_code == 66
    Path("nonsense.zip").write_bytes(b"no zip")
    assert flowork("component", "install", "nonsense.zip").exit_code == 65
    flowork("component", "pack", "first_try")
    unsigned = flowork("component", "install", "first_try-0.1.0.zip", "--yes")
    assert (unsigned.exit_code, "no signature" in unsigned.stderr) == (77, True)
