"""Waiting for the signal to stop."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from gateway.stopping import StopSignal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_wait(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    stop = StopSignal()
    try:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), number))
        timer.start()
        stop.wait()
        timer.join()
    finally:
        stop.close()
        assert signal.getsignal(number) is before
