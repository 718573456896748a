"""The designer and the run view in a real Chromium against the real platform."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.platform import ROOT, running_platform

GUI = ROOT / "gui"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.mark.timeout(900)
def test_the_designer_in_a_browser(tmp_path: Path) -> None:
    if shutil.which("npx") is None or not (GUI / "node_modules").exists():
        pytest.skip(
            "SKIPPED BY NAME: the designer in a browser (Node or the GUI's packages are not installed)"
        )
    if not Path(CHROMIUM).exists():
        pytest.skip(f"SKIPPED BY NAME: the designer in a browser ({CHROMIUM} is not installed)")
    if not (ROOT / "gateway" / "gui" / "index.html").exists():
        pytest.skip("SKIPPED BY NAME: the designer in a browser (the page was not built: run `make gui`)")
    with running_platform(tmp_path / "platform", GATEWAY_PAGE="auto") as platform:
        done = subprocess.run(
            ["npx", "--no-install", "playwright", "test", "--config", "playwright.designer.config.ts"],
            cwd=GUI,
            env=os.environ
            | {
                "FLOWORK_E2E_URL": platform.gateway_url,
                "FLOWORK_E2E_KEY": platform.owner.private_key_hex(),
                "FLOWORK_E2E_OUTPUT": str(tmp_path / "browser"),
                "CHROMIUM": CHROMIUM,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=850,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-8000:]
