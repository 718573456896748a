"""Runs the demonstration and tells, step by step, what it does."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

from flowork.client import Client
from flowork.demo.material import LOG, REPORT, WORKFLOW, Workplace, example
from flowork.demo.platform import DemoPlatform
from flowork.supervisor.lines import LogLines
from flowork.terminal.files import read_workflow
from flowork.terminal.following import follow, require_success
from flowork.terminal.session import Terminal
from flowork.terminal.text import printable
from shared.contract.run import StatusData
from shared.errors import FloworkError
from shared.signing.keys import WalletKey

HEAD_LINES = 8


class Demo:
    """One demonstration in a folder of its own, on the user's file or on the example's."""

    def __init__(self, terminal: Terminal, place: Workplace, source: Path | None) -> None:
        self._terminal = terminal
        self._place = place
        self._source = source or example(LOG)
        self._workflow = read_workflow(str(example(WORKFLOW)))
        self._begun = time.monotonic()

    def perform(self, *, keep: bool) -> None:
        """Start the platform, run the workflow, show the result, stop; raises the first error."""
        self._place.clear()
        source = self._place.take_in(self._source)
        platform = DemoPlatform(self._terminal.environ, self._place)
        with platform.running():
            try:
                self._show(platform, source)
            except FloworkError:
                self._show_logs(platform)
                raise
        if not keep:
            self._place.forget_data()
        self._terminal.say(
            f"Everything is stopped again; it took {time.monotonic() - self._begun:.1f} s in all."
        )
        self._terminal.say("Start the platform for good with: make up  (or: flowork up)", style="bold")

    def _show(self, platform: DemoPlatform, source: str) -> None:
        gateway_ready = platform.start_gateway()
        key, _words = WalletKey.create()
        self._step(f"A new wallet identity: {key.address}")
        gateway = gateway_ready()
        self._step(f"The gateway runs: {gateway.url}")
        with Client(gateway.url, key) as client:
            profile = client.profile()
            self._step(f"Signed in as {printable(profile.username)}, by signature alone")
            engine = client.register_engine("Demo engine")
            self._step(f"Registered the engine {engine.id}")
            address = platform.start_engine(gateway, engine, key.address)
            platform.wait_online(client, engine.id)
            self._step(f"The engine is online: {address.socket}")
            with client.engine(address.socket, engine.id) as session:
                begun = time.monotonic()
                run = session.run(
                    self._workflow,
                    initial_payload={"input": source, "output": REPORT},
                    preset_name=Path(WORKFLOW).stem,
                )
                self._step(f"Sent the signed workflow, run {run.job_id}")
                state = follow(self._terminal, run, self._workflow, as_json=False)
                self._tell_end(run.job_id, state, source, time.monotonic() - begun)

    def _tell_end(self, job_id: str, state: StatusData, source: str, seconds: float) -> None:
        require_success(job_id, state)
        size = (self._place.files / source).stat().st_size
        self._step(f"The run took {seconds:.2f} s for {size:,} bytes of log")
        report = self._place.files / REPORT
        self._terminal.say(f"\nReport: {_short(report)}", style="bold green")
        with report.open(encoding="utf-8", errors="replace") as file:
            for line in islice(file, HEAD_LINES):
                self._terminal.say(f"  {printable(line.rstrip(), limit=160)}")
        self._terminal.say("  …\n")

    def _step(self, text: str) -> None:
        self._terminal.say(f"[{time.monotonic() - self._begun:5.1f} s] {text}")

    def _show_logs(self, platform: DemoPlatform) -> None:
        lines = LogLines(self._terminal.err)
        for service, line in platform.last_words():
            lines(service, line)
        self._terminal.note(f"The logs are in {_short(self._place.logs)}.")


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
