"""Pages and busy servers of the HTTP step, against a real server."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from core_engine.components.builtin.http_request.conversation import _retry_after
from shared.errors import ErrorCode, FloworkError


class Shelf:
    """Five items in pages of two, handed out in every way; busy as often as it is told."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.busy = 0
        self.busy_headers: dict[str, str] = {}
        self.status = 429
        self.url = ""
        self.elsewhere = "http://localhost:1/x"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        if self.busy:
            self.busy -= 1
            return web.Response(status=self.status, headers=self.busy_headers)
        kind = request.path.strip("/")
        number = int(request.query.get("page") or request.query.get("after") or 1)
        items = list(range(1, 6))[(number - 1) * 2 : number * 2]
        following = number + 1 if number * 2 < 5 else None
        match kind:
            case "link":
                link = f'<{self.url}/link?page=1>; rel="first", </link?page={following}>; rel="next"'
                return web.json_response(items, headers={"Link": link} if following else {})
            case "url":
                where = f"{self.url}/url?page={following}" if following else None
                return web.json_response({"d": {"items": items}, "paging": {"next": where}})
            case "cursor":
                return web.json_response({"items": items, "next": following})
            case "away":
                return web.json_response({"items": items, "next": self.elsewhere})
            case "endless":
                return web.json_response({"items": ["x" * 1000], "next": number})
        return web.json_response(items)


@pytest.fixture
async def shelf(serve) -> Shelf:
    made = Shelf()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.answer)
    made.url = await serve(app)
    return made


PAGED = {
    "link": {"paging": "link_header"},
    "url": {"paging": "next_url", "next_path": "paging.next", "items_path": "d.items"},
    "cursor": {"paging": "cursor", "page_parameter": "after", "items_path": "items"},
    "number": {"paging": "page_number"},
}


@pytest.mark.parametrize("kind", PAGED)
async def test_all_pages_are_collected(run, shelf: Shelf, kind: str) -> None:
    config = {"url": f"{shelf.url}/{kind}", "query": [{"name": "q", "value": 1}], **PAGED[kind]}
    data = (await run("http_request", config)).outputs["success"].data
    assert data["body"] == [1, 2, 3, 4, 5]
    assert (data["pages"], data["more_pages"]) == (4 if kind == "number" else 3, False)
    assert "q=1" in shelf.asked[0]


@pytest.mark.parametrize("kind", PAGED)
async def test_the_cap_ends_it_and_says_so(run, shelf: Shelf, kind: str) -> None:
    config = {"url": f"{shelf.url}/{kind}", "max_pages": 2, **PAGED[kind]}
    data = (await run("http_request", config)).outputs["success"].data
    assert (data["body"], data["pages"], data["more_pages"]) == ([1, 2, 3, 4], 2, True)
    assert len(shelf.asked) == 2


async def test_a_next_page_on_another_server_is_refused(run, shelf: Shelf) -> None:
    config = {"url": f"{shelf.url}/away", "paging": "next_url", "items_path": "items"}
    with pytest.raises(FloworkError) as caught:
        await run("http_request", config)
    assert caught.value.code is ErrorCode.FORBIDDEN
    shelf.elsewhere = "file:///etc/passwd"
    with pytest.raises(FloworkError) as caught:
        await run("http_request", config)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


async def test_all_pages_together_stay_within_the_limit(run, shelf: Shelf) -> None:
    config = {"url": f"{shelf.url}/endless", "paging": "cursor", "max_pages": 1000, "max_response_kib": 4}
    with pytest.raises(FloworkError) as caught:
        await run("http_request", config)
    assert caught.value.code is ErrorCode.TOO_LARGE


async def test_a_bad_page_in_the_middle_fails_the_step(run, shelf: Shelf) -> None:
    shelf.busy, shelf.status = 1, 500
    with pytest.raises(FloworkError, match="500"):
        await run("http_request", {"url": f"{shelf.url}/link", "paging": "link_header"})


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_again(run, shelf: Shelf, step, status: int) -> None:
    shelf.busy, shelf.status, shelf.busy_headers = 2, status, {"Retry-After": "0"}
    data = (await run("http_request", {"url": f"{shelf.url}/x", "retries": 2})).outputs["success"].data
    assert (data["status"], len(shelf.asked)) == (200, 3)
    assert [level for level, _ in step.logs] == ["WARN", "WARN", "INFO"]


@pytest.mark.parametrize(
    ("config", "headers", "asked"),
    [
        ({}, {"Retry-After": "0"}, 1), ({"retries": 1}, {"Retry-After": "0"}, 2),
        ({"retries": 5, "retry_wait_seconds": 2}, {"Retry-After": "3"}, 1),
    ],
)  # fmt: skip
async def test_patience_ends(run, shelf: Shelf, config: dict[str, Any], headers, asked: int) -> None:
    shelf.busy, shelf.busy_headers = 10, headers
    with pytest.raises(FloworkError, match="429"):
        await run("http_request", {"url": f"{shelf.url}/x", **config})
    assert len(shelf.asked) == asked


def test_retry_after_is_a_number_or_a_date() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert _retry_after("7", now) == 7
    assert _retry_after("Thu, 01 Jan 2026 00:00:09 GMT", now) == 9
    assert _retry_after("Thu, 01 Jan 2025 00:00:09 GMT", now) == 0
    assert [_retry_after(text, now) for text in ("", "soon", "nan", "-1")] == [None] * 4
