"""Flask with a short way from a request to its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from flask import Flask, Request, Response
from typing_extensions import override
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, Rule

from gateway.web.answers import Header, Reply

Before = Callable[[Request], Response | None]
After = Callable[[Request, Reply], list[Header]]


class _Rule(Rule):
    """A rule that learns to write addresses when it is first asked to, which nothing here does."""

    @override
    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        def build(_: Rule, **values: Any) -> tuple[str, str]:
            written: tuple[str, str] = learn(append_unknown).__get__(self, None)(**values)
            return written

        learn = super()._compile_builder
        return build


class Received(Request):
    """A request that was read in one go: the library's own way is a dozen calls, for the same attributes."""

    def __init__(self, environ: dict[str, Any], max_content_length: int | None = None) -> None:
        get = environ.get
        path, root, port = get("PATH_INFO") or "", get("SCRIPT_NAME") or "", get("SERVER_PORT") or ""
        self.method = get("REQUEST_METHOD", "GET").upper()
        self.scheme = get("wsgi.url_scheme", "http")
        name = get("SERVER_NAME")
        digits = port.isascii() and port.isdigit()
        self.server = None if name is None else (name, int(port) if digits else None)
        self.root_path = (root if root.isascii() else _utf8(root)).rstrip("/")
        self.path = "/" + (path if path.isascii() else _utf8(path)).lstrip("/")
        self.query_string = get("QUERY_STRING", "").encode("latin1")
        self.headers = EnvironHeaders(environ)
        self.remote_addr = get("REMOTE_ADDR")
        self.environ = environ
        self.shallow = False
        self._max_content_length = max_content_length
        environ["werkzeug.request"] = self


def _utf8(text: str) -> str:
    return text.encode("latin1").decode(errors="replace")


class Application(Flask):
    """A Flask application whose views are handed the request, and nothing else: none is there under a global name.

    What Flask does around each request so that it could be found there takes longer than to answer it, and so do
    sessions, signals and teardowns, which nothing here uses. ``before`` may answer a request instead of its view,
    ``on_error`` answers what either raises, and ``after`` sees every answer and returns the headers it gets beside its
    own. What a view gives back is a `Reply`.
    """

    def __init__(
        self, name: str, *, before: Before, after: After, on_error: Callable[[Exception], Response]
    ) -> None:
        super().__init__(name, static_folder=None)
        self.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # Flask answers these on its own, longer way
        self._before = before
        self._after = after
        self._on_error = on_error

    url_rule_class = _Rule

    @override
    def wsgi_app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        received = Received(environ, self.config["MAX_CONTENT_LENGTH"])
        self._find(received)
        try:
            answer: Reply = self._before(received) or self._view(received)
        except Exception as error:  # noqa: BLE001 - the edge of HTTP
            answer = self._on_error(error)
        added = self._after(received, answer)

        def start(status: str, headers: list[Header], *others: Any) -> Any:
            return start_response(status, headers + added, *others)

        return answer(environ, start)

    def _find(self, received: Request) -> None:
        """Note in the request which rule it fits, or that it fits none."""
        websocket = _wants_websocket(received.environ)
        plain = None if websocket else self._plain_rules.get((received.method, received.path))
        if plain is not None:
            received.url_rule, received.view_args = plain, {}
            return
        try:
            received.url_rule, values = self._rules.match(
                received.path, received.method, return_rule=True, websocket=websocket
            )
            received.view_args = dict(values)
        except HTTPException as error:
            received.routing_exception = error

    def _view(self, received: Request) -> Reply:
        if received.url_rule is None:
            raise received.routing_exception or TypeError("a request was not looked up")
        view: Callable[..., Any] = self.view_functions[received.url_rule.endpoint]
        answer: Reply = view(received, **received.view_args or {})
        return answer

    @cached_property
    def _plain_rules(self) -> dict[tuple[str, str], Rule]:
        """The rules of paths without parameters, which go before all others, by method and path."""
        plain = (rule for rule in self.url_map.iter_rules() if not rule.arguments)
        return {(method, rule.rule): rule for rule in plain for method in rule.methods or ()}

    @cached_property
    def _rules(self) -> MapAdapter:
        return self.url_map.bind("")


def _wants_websocket(environ: dict[str, Any]) -> bool:
    if "HTTP_UPGRADE" not in environ or environ["HTTP_UPGRADE"].lower() != "websocket":
        return False
    given = environ.get("HTTP_CONNECTION", "").lower().split(",")
    return "upgrade" in {word.strip(" \t") for word in given}
