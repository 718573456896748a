"""What the gateway makes of a chain's node, also of one that answers nonsense."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gateway.chain.rpc import Node, quantity
from gateway.chain.transactions import TRANSFER, Received, Transactions
from shared.errors import ErrorCode, FloworkError

PAYEE, PAYER, TOKEN = "0x" + "1" * 40, "0x" + "2" * 40, "0x" + "3" * 40
TX = "0x" + "ab" * 32


@contextmanager
def answering(answer: Callable[[str], bytes]) -> Iterator[str]:
    """Serve what a function gives for a method; yield the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = answer(asked["method"])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/rpc?key=1"
        finally:
            server.shutdown()
            thread.join()


def topic(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def log(**change: Any) -> dict[str, Any]:
    topics = [TRANSFER, topic(PAYER), topic(PAYEE)]
    return {"address": TOKEN, "topics": topics, "data": f"0x{7:064x}"} | change


def chain(logs: list[dict[str, Any]], **change: Any) -> Callable[[str], bytes]:
    results: dict[str, Any] = {
        "eth_chainId": "0x5",
        "eth_getTransactionReceipt": {
            "blockNumber": "0xa",
            "blockHash": "0xbb",
            "status": "0x1",
            "logs": logs,
        },
        "eth_getTransactionByHash": {"value": "0x9", "from": PAYER.upper().replace("X", "x"), "to": PAYEE},
        "eth_getBlockByNumber": {"hash": "0xbb", "timestamp": "0x64"},
        "eth_blockNumber": "0xc",
    } | change
    return lambda method: json.dumps({"jsonrpc": "2.0", "id": 1, "result": results[method]}).encode()


def test_coins_and_tokens_that_arrived() -> None:
    others = [
        log(topics=[TRANSFER, topic(PAYER), topic(TOKEN)]),  # to somebody else
        log(topics=[TRANSFER, topic(PAYER), topic(PAYEE), topic(PAYER)], data="0x"),  # an ERC-721
        log(topics=["0x" + "0" * 64, topic(PAYER), topic(PAYEE)]),  # another event
        log(removed=True),
        log(data=f"0x{0:064x}"),
        log(data="0x07"),
    ]
    with answering(chain([log(), *others])) as url:
        seen = Transactions(url, 5).look(TX, PAYEE)
    assert seen is not None
    assert seen.received == (Received(PAYER, None, 9), Received(PAYER, TOKEN, 7))
    assert (seen.confirmations, seen.block_ms, seen.succeeded) == (3, 100_000, True)


@pytest.mark.parametrize(
    "change",
    [
        {"eth_getTransactionReceipt": None},
        {"eth_getTransactionByHash": None},
        {"eth_getBlockByNumber": {"hash": "0xcc", "timestamp": "0x64"}},
        {"eth_getBlockByNumber": None},
    ],
)
def test_what_is_in_no_block_is_not_seen(change: dict) -> None:
    with answering(chain([], **change)) as url:
        assert Transactions(url, 5).look(TX, PAYEE) is None


def test_a_failed_transaction_brought_nothing() -> None:
    receipt = {"blockNumber": "0xa", "blockHash": "0xbb", "status": "0x0", "logs": [log()]}
    with answering(chain([], eth_getTransactionReceipt=receipt)) as url:
        seen = Transactions(url, 5).look(TX, PAYEE)
    assert seen is not None
    assert (seen.succeeded, seen.received) == (False, ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"error": {"message": "no"}}',
        b"[" * 100_000,
        b'{"result": 7}',
        b"x" * (9 << 20),
    ],
)
def test_a_node_that_answers_nonsense_is_unavailable(body: bytes) -> None:
    with answering(lambda _method: body) as url, pytest.raises(FloworkError) as refused:
        Node(url).number("eth_blockNumber")
    assert refused.value.code is ErrorCode.ENGINE_UNAVAILABLE


def test_a_node_of_another_chain_or_none_at_all_is_unavailable() -> None:
    with answering(chain([])) as url, pytest.raises(FloworkError, match="not on chain 6"):
        Transactions(url, 6).look(TX, PAYEE)
    with pytest.raises(FloworkError, match="cannot be reached"):
        Transactions(url, 5).look(TX, PAYEE)


@pytest.mark.parametrize("value", [None, 5, "5", "0x", "0xzz", "0x" + "f" * 65])
def test_only_numbers_are_numbers(value: Any) -> None:
    with pytest.raises(FloworkError):
        quantity(value)
