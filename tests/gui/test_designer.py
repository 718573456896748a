"""The designer and the run view in a real Chromium against the real platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import gui
from tests.support.platform import running_platform


@pytest.mark.timeout(900)
def test_the_designer_in_a_browser(page_folder: Path, tmp_path: Path) -> None:
    assert (page_folder / "index.html").is_file()
    with running_platform(tmp_path / "platform", GATEWAY_PAGE="auto") as platform:
        gui.browse(
            "--config", "playwright.designer.config.ts", seconds=850, output=tmp_path / "browser",
            FLOWORK_E2E_URL=platform.gateway_url, FLOWORK_E2E_KEY=platform.owner.private_key_hex(),
        )  # fmt: skip
