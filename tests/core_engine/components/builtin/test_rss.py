"""Feeds of a real server, and answers to webhooks."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from core_engine.components.builtin.rss.component import Rss
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

FEED = (
    """<?xml version="1.0"?>
<rss version="2.0"><channel><title>Garden</title><link>https://example.com/</link>
<item><title>Old</title><link>/old</link><guid isPermaLink="false">id-1</guid>
  <pubDate>Thu, 01 Jan 2026 10:00:00 +0200</pubDate></item>
<item><title>New &amp; gr\u00fcn</title><link>https://example.com/new</link><category>plants</category>
  <author>sari@example.com (Sari)</author><pubDate>Fri, 02 Jan 2026 00:00:00 GMT</pubDate>
  <description>&lt;p onclick="x()"&gt;Hi&lt;script&gt;evil()&lt;/script&gt;&lt;/p&gt;</description></item>
<item><title>Undated</title></item>
</channel></rss>"""
    + "\n" * 2000
)
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title><entry><id>urn:1</id><title>T</title>
<updated>2026-01-01T00:00:00Z</updated><content type="html">whole</content></entry></feed>"""
BOMB = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(12)
) + ']><rss version="2.0"><channel><title>&m;</title></channel></rss>'  # fmt: skip
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<rss version="2.0"><channel><title>&x;</title></channel></rss>'
)


@pytest.fixture
async def feeds(serve):
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        bodies = {
            "/rss": FEED,
            "/atom": ATOM,
            "/bomb": BOMB,
            "/outside": OUTSIDE,
            "/page": "<html>no feed</html>",
        }
        if request.path not in bodies:
            return web.Response(status=404)
        return web.Response(text=bodies[request.path], content_type="application/xml")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    return await serve(app), asked


async def test_items_come_newest_first_and_clean(run, feeds) -> None:
    url, _ = feeds
    data = (await run("rss", {"url": f"{url}/rss"})).outputs["success"].data
    assert (data["title"], data["count"]) == ("Garden", 3)
    new, old, undated = data["items"]
    assert (new["title"], new["id"], new["tags"]) == ("New & grün", "https://example.com/new", ["plants"])
    assert new["published"] == "2026-01-02T00:00:00+00:00"
    assert "Hi" in new["summary"]
    assert "evil" not in new["summary"]
    assert "onclick" not in new["summary"]
    assert (old["id"], old["published"]) == ("id-1", "2026-01-01T08:00:00+00:00")
    assert (undated["id"], undated["published"]) == ("Undated", None)
    assert (await run("rss", {"url": f"{url}/rss", "limit": 1})).outputs["success"].data["items"] == [new]


async def test_atom_is_read_with_its_content(run, feeds) -> None:
    url, _ = feeds
    (item,) = (await run("rss", {"url": f"{url}/atom"})).outputs["success"].data["items"]
    assert (item["id"], item["content"]) == ("urn:1", "whole")
    (item,) = (
        (await run("rss", {"url": f"{url}/atom", "with_content": False})).outputs["success"].data["items"]
    )
    assert "content" not in item


async def test_entities_neither_explode_nor_read_files(run, feeds) -> None:
    url, _ = feeds
    for path in ("bomb", "outside"):
        data = (await run("rss", {"url": f"{url}/{path}"})).outputs["success"].data
        assert len(str(data)) < 10_000
        assert "root:" not in str(data)


@pytest.mark.parametrize(("path", "what"), [("page", "not an RSS or Atom feed"), ("none", "answered 404")])
async def test_what_is_no_feed_fails_clearly(run, feeds, path: str, what: str) -> None:
    url, _ = feeds
    with pytest.raises(FloworkError, match=what):
        await run("rss", {"url": f"{url}/{path}"})


async def test_a_large_or_private_feed_is_refused(run, feeds, step) -> None:
    url, asked = feeds
    with pytest.raises(FloworkError) as caught:
        await run("rss", {"url": f"{url}/rss", "max_kib": 1})
    assert caught.value.code is ErrorCode.TOO_LARGE
    asked.clear()
    component = Rss(NetworkPolicy())
    with pytest.raises(FloworkError) as caught:
        await component.execute(step, component.parse_config({"url": f"{url}/rss"}), Payload())
    assert caught.value.code is ErrorCode.FORBIDDEN
    await run("rss", {"url": f"{url}/rss"}, mode=RunMode.SIMULATE)
    assert asked == []


async def test_the_answer_to_a_webhook_stands_in_the_data(run) -> None:
    config = {"status": 201, "headers": [{"name": "X-Mine", "value": 1}], "body": {"é": 1}}
    data = (await run("webhook_response", config, {"kept": 1})).outputs["success"].data
    assert data["kept"] == 1
    assert data["webhook_response"] == {
        "status": 201, "headers": {"content-type": "application/json", "x-mine": "1"}, "body": '{"é": 1}',
    }  # fmt: skip
    answers = {
        kind: (await run("webhook_response", {"body_kind": kind, "body": "hi"})).outputs["success"].data
        for kind in ("json", "text", "html", "none")
    }
    bodies = {kind: data["webhook_response"]["body"] for kind, data in answers.items()}
    assert bodies == {"json": '"hi"', "text": "hi", "html": "hi", "none": ""}
    whole = (await run("webhook_response", {}, [1, 2])).outputs["success"].data
    assert (whole["webhook_response"]["body"], whole["data"]) == ("[1, 2]", [1, 2])


@pytest.mark.parametrize(
    "change",
    [{"status": 99}, {"headers": [{"name": "Content-Length", "value": 1}]}, {"headers": [{"name": "a\nb"}]}],
)
def test_wrong_answers_are_named(registry, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("webhook_response").parse_config(change)
    assert caught.value.errors()[0]["loc"][0] in change


async def test_a_header_cannot_smuggle_another(run) -> None:
    with pytest.raises(FloworkError, match="cannot have this value"):
        await run("webhook_response", {"headers": [{"name": "X", "value": "a\r\nSet-Cookie: b"}]})
