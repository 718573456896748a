"""The page at ``/``: served everywhere but under /api, strict, and self-contained."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest

from gateway.web.pages import STATIC, Pages, page_folder
from tests.gateway.support import Gateway

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())


def test_the_page(live: Gateway) -> None:
    answer = live.send("GET", "/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"gateway {metadata.version('flowork')}" in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    sockets = {"ws://127.0.0.1:*", "ws://localhost:*"}
    assert {source for source in policy.replace(";", " ").split() if "*" in source} == sockets
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/designer", "/marketplace/item/7", "/index.html", "/apidocs", "/settings?x=/api/"]
)
def test_every_address_of_the_page_shows_it(live: Gateway, path: str) -> None:
    assert live.send("GET", path, headers=HTML).text == live.send("GET", "/").text
    assert live.send("HEAD", path, headers=HTML).content == b""


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/socket.io"])
def test_the_api_never_does(live: Gateway, path: str) -> None:
    answer = live.send("GET", path, headers=HTML)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/missing.js", "/style.css.map", "/.env", "/static/index.html"])
def test_what_is_no_page_is_not_found(live: Gateway, path: str) -> None:
    answer = live.send("GET", path, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_the_page_cannot_be_posted_to(live: Gateway) -> None:
    assert live.send("POST", "/", headers=HTML).status_code == 404


def test_files_are_revalidated(live: Gateway) -> None:
    for path, kind in (
        ("/app.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ):
        first = live.send("GET", path)
        assert first.headers["Content-Type"].split(";")[0] == kind
        assert first.headers["Cache-Control"] == "no-cache"
        second = live.send("GET", path, headers={"If-None-Match": first.headers["ETag"]})
        assert (second.status_code, second.content) == (304, b"")


def test_only_files_of_the_folder_are_known(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "page" / "index.html").write_text("v%FLOWORK_VERSION%")
    (tmp_path / "page" / "assets").mkdir()
    (tmp_path / "page" / "assets" / "a.js").write_text("1")
    pages = Pages.load(tmp_path / "page")
    assert set(pages._files) == {"/index.html", "/assets/a.js"}


def test_the_gui_is_served_where_it_was_built(tmp_path: Path) -> None:
    assert page_folder("auto", tmp_path) == STATIC
    (tmp_path / "index.html").write_text("the GUI")
    assert page_folder("auto", tmp_path) == tmp_path
    assert page_folder("plain", tmp_path) == STATIC


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_asks_anybody_else(file: Path) -> None:
    text = file.read_text()
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"'`)]*", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "@import" not in text


def test_the_page_has_nothing_inline() -> None:
    text = (STATIC / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text)
    assert re.findall(r"<script[^>]*>", text) == ['<script type="module" src="/app.js">']
    assert "</script>" in text


def test_the_page_can_be_read_by_everybody() -> None:
    text = (STATIC / "index.html").read_text()
    assert '<html lang="en">' in text
    assert 'name="viewport"' in text
    assert "maximum-scale" not in text
    assert text.count("<h1") == 1
    assert all("alt=" in image for image in re.findall(r"<img[^>]*>", text))
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for name in ("aria-labelledby", "data-copies"):
        assert set(re.findall(rf'{name}="([^"]+)"', text)) <= set(ids)
    assert set(re.findall(r'element\("([\w-]+)"\)', (STATIC / "app.js").read_text())) <= set(ids)
    assert len(re.findall(r'role="status"', text)) == 2
