"""The reference page: complete, local, and without anything a page could be tricked with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from gateway.web.reference import FILES, PAGES
from shared.contract import catalog
from tests.gateway.support import Gateway


@pytest.mark.parametrize("path", FILES)
def test_every_file_is_served_with_a_strict_policy(live: Gateway, path: str) -> None:
    answer = live.send("GET", path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == FILES[path][1]
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "*" not in policy
    again = live.send("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_page_asks_no_other_host_and_writes_no_markup() -> None:
    for file in PAGES.iterdir():
        text = file.read_text()
        assert not re.search(r"https?://|//\w+\.\w+", text.replace("// Shows", "")), file
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text), file
    page = (PAGES / "index.html").read_text()
    assert set(re.findall(r'(?:src|href)="(/api/[^"]+)"', page)) <= set(FILES)
    assert not re.search(r"<script>|<style>|style=|\son\w+=", page)


def test_the_documents_are_those_of_the_contract(local: Gateway) -> None:
    document = local.send("GET", "/api/v1/openapi.json").json()
    named = {each["operationId"] for item in document["paths"].values() for each in item.values()}
    assert named == set(catalog.operations())
    messages = json.loads(local.send("GET", "/api/v1/asyncapi.json").content)["components"]["messages"]
    assert set(catalog.commands()) <= set(messages)


def test_nothing_else_is_found_below_it(local: Gateway) -> None:
    for path in ("/api/docs/x", "/api/docs/../settings.py", "/api/docs/%2e%2e/settings.py", "/api/v1/x.json"):
        assert local.send("GET", path).status_code == 404, path
    assert local.send("POST", "/api/docs").status_code == 404


def test_a_browser_shows_every_operation_and_message(local: Gateway, tmp_path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed: the reference page was not tried in a browser")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command += ["--virtual-time-budget=20000", "--dump-dom", f"{local.url}/api/docs"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    for name in catalog.operations():
        assert f'<details id="{name}"' in done.stdout, name
    for name in (*catalog.commands(), *catalog.events()):
        assert f'<details id="message-{name}"' in done.stdout, name
    assert "cannot be shown" not in done.stdout
