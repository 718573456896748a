"""The designer and the run view in a real Chromium against the real platform."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import gui
from tests.support.platform import Platform, running_platform


@pytest.mark.timeout(900)
def test_the_designer_in_a_browser(page_folder: Path, tmp_path: Path) -> None:
    assert (page_folder / "index.html").is_file()
    settings = {"GATEWAY_PAGE": "auto", "ENGINE_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8"}
    with running_platform(tmp_path / "platform", **settings) as platform, control(platform) as url:
        gui.browse(
            "--config", "playwright.designer.config.ts", seconds=850, output=tmp_path / "browser",
            FLOWORK_E2E_URL=platform.gateway_url, FLOWORK_E2E_KEY=platform.owner.private_key_hex(),
            FLOWORK_E2E_CONTROL=url,
        )  # fmt: skip


@contextlib.contextmanager
def control(platform: Platform) -> Iterator[str]:
    """Let the browser's tests end the engine as a power cut does, and start it again; tells the weather as well."""

    class Switch(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            city = parse_qs(urlsplit(self.path).query).get("city", [""])[0]
            body = json.dumps({"main": {"temp": 34, "city": city}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            if self.path == "/kill":
                platform.services[-1].kill()
            else:
                platform.start_engine()
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Switch) as server:
        thread = threading.Thread(target=server.serve_forever, name="engine switch")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(10)
