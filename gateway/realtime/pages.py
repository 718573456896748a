"""The web pages that are open: each over all its connections, with the engines that work for it."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from typing_extensions import override

from gateway.auth.socket_handshake import SignIn
from shared.contract.relay import FINAL, MAX_RUNS
from shared.ids import is_job_id

MAX_VISITS = 32


@dataclass(slots=True)
class Page:
    """An open page. ``engines`` are those that were told of it, ``latest`` the one that it used last.

    ``runs`` are the unfinished runs that it was shown: engine and number of the last event. ``visits`` are the engines
    it uses by a share link, with the link's token.
    """

    sign_in: SignIn
    connections: set[str] = field(default_factory=set)
    engines: set[str] = field(default_factory=set)
    latest: str | None = None
    runs: dict[str, tuple[str, int]] = field(default_factory=dict)
    visits: dict[str, str] = field(default_factory=dict)

    def visit(self, engine_id: str, token: str) -> None:
        """Note by which share link the page uses an engine."""
        self.visits.pop(engine_id, None)
        self.visits[engine_id] = token
        if len(self.visits) > MAX_VISITS:
            self.visits.pop(next(iter(self.visits)))

    def note(self, engine_id: str, data: dict[str, Any]) -> None:
        """Note an event that the page is sent, where it is a run's."""
        job_id, seq, status = data.get("job_id"), data.get("seq"), data.get("status_data")
        if not isinstance(job_id, str) or not isinstance(seq, int) or not is_job_id(job_id):
            return
        self.runs.pop(job_id, None)
        if not isinstance(status, dict) or status.get("status") not in FINAL:
            self.runs[job_id] = (engine_id, seq)
            if len(self.runs) > MAX_RUNS:
                self.runs.pop(next(iter(self.runs)))

    def runs_of(self, engine_id: str) -> dict[str, int]:
        """Return the unfinished runs of an engine."""
        return {job_id: seq for job_id, (engine, seq) in list(self.runs.items()) if engine == engine_id}


class Pages(Protocol):
    """All open pages; one process keeps them in memory, several in Redis. A page is changed through these only."""

    def join(self, sid: str, sign_in: SignIn) -> Page:
        """Note a connection of a page."""
        ...

    def leave(self, sid: str, sign_in: SignIn) -> Page | None:
        """Note the end of a connection; return the page if this was its last one."""
        ...

    def find(self, label: str) -> Page | None:
        """Return an open page."""
        ...

    def connections(self, page: Page) -> list[str]:
        """Return the connections of a page."""
        ...

    def of(self, addresses: Collection[str], engine_id: str) -> list[Page]:
        """Return the open pages of some addresses, and those that visit an engine by a share link."""
        ...

    def involve(self, page: Page, engine_id: str, *, latest: bool) -> None:
        """Note that an engine works for a page, or is even the one that it used last."""
        ...

    def visit(self, page: Page, engine_id: str, token: str) -> None:
        """Note by which share link a page uses an engine."""
        ...

    def note(self, page: Page, engine_id: str, sent: Sequence[dict[str, Any]]) -> None:
        """Note the data of events that a page was sent by an engine."""
        ...


class MemoryPages(Pages):
    """The pages of one process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[str, Page] = {}

    @override
    def join(self, sid: str, sign_in: SignIn) -> Page:
        with self._lock:
            page = self._pages.setdefault(sign_in.page, Page(sign_in))
            page.connections.add(sid)
            return page

    @override
    def leave(self, sid: str, sign_in: SignIn) -> Page | None:
        with self._lock:
            page = self._pages.get(sign_in.page)
            if page is None:
                return None
            page.connections.discard(sid)
            return None if page.connections else self._pages.pop(sign_in.page)

    @override
    def find(self, label: str) -> Page | None:
        with self._lock:
            return self._pages.get(label)

    @override
    def connections(self, page: Page) -> list[str]:
        with self._lock:
            return list(page.connections)

    @override
    def of(self, addresses: Collection[str], engine_id: str) -> list[Page]:
        with self._lock:
            pages = list(self._pages.values())
        return [page for page in pages if page.sign_in.address in addresses or engine_id in page.visits]

    @override
    def involve(self, page: Page, engine_id: str, *, latest: bool) -> None:
        page.engines.add(engine_id)
        if latest:
            page.latest = engine_id

    @override
    def visit(self, page: Page, engine_id: str, token: str) -> None:
        page.visit(engine_id, token)

    @override
    def note(self, page: Page, engine_id: str, sent: Sequence[dict[str, Any]]) -> None:
        for data in sent:
            page.note(engine_id, data)
