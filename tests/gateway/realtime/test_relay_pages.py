"""What engines hear last of a page is whether it is there, in whatever order its connections come and go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gateway.auth.socket_handshake import SignIn
from gateway.realtime.pages import MemoryPages
from gateway.realtime.relay import Relay
from shared.contract.base import Role
from shared.signing.keys import WalletKey

ENGINE = "engine-1"


class Told:
    """The server as far as the relay speaks through it: keeps what was told, and does something on the way."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.meanwhile: list[Any] = []

    def publish(self, namespace: str, event: str, data: Any, to: str) -> None:
        for act in [self.meanwhile.pop()] if self.meanwhile else []:
            act()
        self.events.append(event)

    def room_for(self, namespace: str, sid: str) -> int:
        return 100


def relay_of(told: Told) -> Relay:
    link = SimpleNamespace(sid="link", engine_id=ENGINE)
    choice = SimpleNamespace(
        access=lambda address: {ENGINE: Role.OWNER}, live_link=lambda engine_id: link, audience=lambda _: []
    )
    clock = SimpleNamespace(monotonic=lambda: 0.0)
    parts: list[Any] = [told, choice, None, MemoryPages(), clock]
    return Relay(*parts, meter=None, max_bytes=65_536)  # type: ignore[arg-type]


def signed_in() -> SignIn:
    key, _ = WalletKey.create()
    text = f"flowork_socket_auth|{key.address}|1700000000"
    return SignIn(key.address.lower(), text, key.sign_text(text))


def test_a_page_that_comes_and_goes_is_told_so() -> None:
    told, page = Told(), signed_in()
    relay = relay_of(told)
    relay.joined("one", page)
    relay.joined("two", page)
    relay.left("one", page)
    assert told.events == ["relay_open", "relay_open"]
    relay.left("two", page)
    assert told.events[2:] == ["relay_left"]


def test_a_page_that_is_back_before_its_leaving_was_told_is_not_left() -> None:
    """Its engines would send it nothing more until its next command."""
    told, page = Told(), signed_in()
    relay = relay_of(told)
    relay.joined("one", page)
    told.meanwhile.append(lambda: relay.joined("two", page))
    relay.left("one", page)
    assert told.events == ["relay_open", "relay_open", "relay_left", "relay_open"]
