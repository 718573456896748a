"""The Flask application: operations under ``/api/v1``, the page elsewhere, the same headers on every answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flask import Flask, Request, Response
from werkzeug.exceptions import NotFound

from gateway.web import errors
from gateway.web.answers import Header, Reply, Written
from gateway.web.application import Application
from gateway.web.binding import bind
from gateway.web.limits import RateLimits
from gateway.web.origins import Origins
from gateway.web.pages import Pages
from gateway.web.proof import Proof
from gateway.web.reference import Reference
from gateway.web.routing import Route
from gateway.web.target import is_ambiguous

SECURITY_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
)


_ALL = list(SECURITY_HEADERS)
_SECURITY = tuple((name.lower(), (name, value)) for name, value in SECURITY_HEADERS)


class Watch(Protocol):
    """Someone who counts requests, from within them."""

    def begin(self, request: Request) -> None:
        """Note that one came."""
        ...

    def end(self, request: Request, answer: Reply) -> None:
        """Note how it is answered."""
        ...


class Answerer(Protocol):
    """Something that answers some paths."""

    def answer(self, request: Request) -> Response | None:
        """Return the answer, or None for a path that is not its own."""
        ...


def build_site(  # noqa: PLR0913 - keywords only
    *,
    routes: list[Route],
    proof: Proof,
    origins: Origins,
    pages: Pages,
    limits: Callable[[Flask], RateLimits],
    watch: Watch,
    metrics: Answerer,
    max_bytes: int,
) -> tuple[Flask, RateLimits]:
    """Build the application of all plain HTTP, and what counts its requests."""
    reference = Reference()

    def before(request: Request) -> Response | None:
        watch.begin(request)
        if is_ambiguous(request.environ):
            raise NotFound
        answer = origins.preflight(request)
        if answer is None and request.url_rule is None:  # no operation has the path of what these answer
            answer = reference.answer(request) or metrics.answer(request) or pages.answer(request)
        if answer is None:
            counted.arrive(request.environ)
        return answer

    def after(request: Request, answer: Reply) -> list[Header]:
        watch.end(request, answer)
        if isinstance(answer, Written):  # it names its kind and length alone
            return origins.marks(request) + _ALL
        given = {name.lower() for name, _ in answer.headers}
        return origins.marks(request) + [item for key, item in _SECURITY if key not in given]

    app = Application("gateway", before=before, after=after, on_error=errors.answer)
    app.url_map.merge_slashes = False
    counted = limits(app)
    bind(app, routes, proof, counted, max_bytes)
    return app, counted
