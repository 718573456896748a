"""A transaction that was handed over is never handed over a second time as another one, whatever the node does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from core_engine.components.builtin.evm_send import transaction
from core_engine.components.builtin.evm_send.transaction import await_receipt, broadcast
from core_engine.components.chain.rpc import ChainConfig, Node, open_node
from core_engine.components.network import NetworkPolicy
from core_engine.workflow.retry import worth_retrying
from shared.errors import ErrorCode, FloworkError

HASH = "0x" + "ab" * 32


class Talk:
    """Answers JSON-RPC as a test says: a value, an error, or a connection that breaks."""

    def __init__(self) -> None:
        self.rules: dict[str, Callable[[int], Any]] = {}
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = (await request.json())["method"]
        self.asked.append(method)
        given = self.rules[method](self.asked.count(method))
        if given is ConnectionError:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return web.json_response({"jsonrpc": "2.0", "id": 1, **given})


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
async def node(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(transaction, "_PAUSE", 0.01)
    monkeypatch.setattr(transaction, "_LOOK_EVERY", 0.01)
    app = web.Application()
    app.router.add_post("/", talk.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    async with open_node(ChainConfig(rpc_url=url), NetworkPolicy(["127.0.0.0/8"]), bounded=False) as made:
        yield made
    await runner.cleanup()


def result(value: Any) -> Callable[[int], Any]:
    return lambda _: {"result": value}


async def test_a_lost_answer_is_looked_up(node: Node, talk: Talk) -> None:
    talk.rules = {
        "eth_sendRawTransaction": lambda _: ConnectionError,
        "eth_getTransactionByHash": result({"hash": HASH}),
    }
    await broadcast(node, "0x02", HASH)
    assert talk.asked.count("eth_sendRawTransaction") == 1


async def test_the_same_bytes_are_sent_again_when_nobody_knows_them(node: Node, talk: Talk) -> None:
    talk.rules = {
        "eth_sendRawTransaction": lambda time: ConnectionError if time < 3 else {"result": HASH},
        "eth_getTransactionByHash": result(None),
    }
    await broadcast(node, "0x02", HASH)
    assert talk.asked.count("eth_sendRawTransaction") == 3


@pytest.mark.parametrize(
    ("send", "known", "said"),
    [
        (lambda _: {"error": {"message": "nonce too low"}}, result(None), "was not taken"),
        (lambda _: ConnectionError, result(None), "is not known"),
        (lambda _: ConnectionError, lambda _: ConnectionError, "is not known"),
    ],
)
async def test_a_failure_after_sending_is_never_tried_again(
    node: Node, talk: Talk, send, known, said: str
) -> None:
    talk.rules = {"eth_sendRawTransaction": send, "eth_getTransactionByHash": known}
    with pytest.raises(FloworkError, match=said) as caught:
        await broadcast(node, "0x02", HASH)
    assert HASH in caught.value.message
    assert not worth_retrying(caught.value)


async def test_a_receipt_is_awaited_through_failures_and_reorganizations(node: Node, talk: Talk) -> None:
    receipt = {"blockNumber": "0x5", "gasUsed": "0x5208", "effectiveGasPrice": "0x2", "status": "0x1"}
    talk.rules = {
        "eth_getTransactionReceipt": lambda time: (
            ConnectionError if time == 1 else {"result": None if time in {2, 4} else receipt}
        ),
        "eth_blockNumber": lambda time: {"result": hex(5 + time)},
    }
    told = await await_receipt(node, HASH, 4, 60)
    assert told == {"status": "confirmed", "block": 5, "gas_used": 21_000, "fee": "42000"}


async def test_a_wait_that_takes_too_long_is_no_failure(node: Node, talk: Talk) -> None:
    talk.rules = {"eth_getTransactionReceipt": result(None)}
    assert (await await_receipt(node, HASH, 1, 0.05))["status"] == "pending"
    asked = len(talk.asked)
    assert (await await_receipt(node, HASH, 0, 60))["status"] == "pending"
    assert len(talk.asked) == asked


@pytest.mark.parametrize(
    "answer", [{"result": "many"}, {"result": None}, {"result": "0x" + "f" * 100}, {"error": {}}]
)
async def test_nonsense_of_a_node_is_an_error(node: Node, talk: Talk, answer) -> None:
    talk.rules = {"eth_chainId": lambda _: answer}
    with pytest.raises(FloworkError) as caught:
        await node.check_chain(1)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
