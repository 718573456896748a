"""The web pages that are open: each over all its connections, with the engines that work for it."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

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


class Pages:
    """All open pages; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[str, Page] = {}

    def join(self, sid: str, sign_in: SignIn) -> Page:
        """Note a connection of a page."""
        with self._lock:
            page = self._pages.setdefault(sign_in.page, Page(sign_in))
            page.connections.add(sid)
            return page

    def leave(self, sid: str, sign_in: SignIn) -> Page | None:
        """Note the end of a connection; return the page if this was its last one."""
        with self._lock:
            page = self._pages.get(sign_in.page)
            if page is None:
                return None
            page.connections.discard(sid)
            return None if page.connections else self._pages.pop(sign_in.page)

    def find(self, label: str) -> Page | None:
        """Return an open page."""
        with self._lock:
            return self._pages.get(label)

    def connections(self, page: Page) -> list[str]:
        """Return the connections of a page."""
        with self._lock:
            return list(page.connections)

    def of(self, addresses: Collection[str], engine_id: str) -> list[Page]:
        """Return the open pages of some addresses, and those that visit an engine by a share link."""
        with self._lock:
            pages = list(self._pages.values())
        return [page for page in pages if page.sign_in.address in addresses or engine_id in page.visits]
