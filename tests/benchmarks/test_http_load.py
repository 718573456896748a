"""The load's own HTTP client, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from benchmarks.http_load import closed_loop, open_loop, request


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    async def echo(asked: web.Request) -> web.Response:
        return web.json_response({"asked": asked.query_string, "body": await asked.text()})

    app = web.Application()
    app.router.add_route("*", "/echo", echo)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_every_request_is_answered_once() -> None:
    async with server() as url:
        requests = [request(f"{url}/echo?{number}", "POST", body=b"b%d" % number) for number in range(40)]
        told = await closed_loop(url, requests, 4)
    assert sorted(told.bodies) == sorted(
        b'{"asked": "%d", "body": "b%d"}' % (number, number) for number in range(40)
    )
    assert len(told.seconds) == 40
    assert told.rate > 0


async def test_a_steady_pace_counts_from_the_moment_at_which_a_request_was_due() -> None:
    async with server() as url:
        told = await open_loop(url, [request(f"{url}/echo")] * 30, 1, 100_000.0)
    assert len(told.bodies) == 30
    # all were due at once and there is one connection: each waited for those before it
    assert told.seconds == sorted(told.seconds)


async def test_a_connection_that_the_server_closed_is_made_anew() -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async with await asyncio.start_server(once, "127.0.0.1", 0) as listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        told = await closed_loop(url, [request(url)] * 5, 1)
        assert told.bodies == [b"ok"] * 5
        with pytest.raises(ConnectionError):
            await closed_loop(url, [request(url, "POST")] * 5, 1)  # it might have been done


async def test_a_refusal_is_an_error_and_no_answer() -> None:
    async with server() as url:
        with pytest.raises(ConnectionError, match="404"):
            await closed_loop(url, [request(f"{url}/elsewhere")], 1)
