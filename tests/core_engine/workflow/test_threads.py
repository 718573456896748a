"""The threads of blocking steps."""

from __future__ import annotations

import threading

from core_engine.workflow.threads import StepThreads


def test_jobs_share_threads_and_never_more_than_allowed():
    threads = StepThreads(2)
    go = threading.Event()
    names: list[str] = []
    done = threading.Semaphore(0)

    def job() -> None:
        go.wait(10)
        names.append(threading.current_thread().name)
        done.release()

    for _ in range(6):
        threads.submit(job)
    go.set()
    for _ in range(6):
        assert done.acquire(timeout=10)
    assert set(names) <= {"step-1", "step-2"}
    assert len(names) == 6
    threads.close()
    for thread in threads._threads:
        thread.join(10)
        assert not thread.is_alive()


def test_an_idle_thread_is_used_again():
    threads = StepThreads(8)
    for _ in range(5):
        done = threading.Event()
        threads.submit(done.set)
        assert done.wait(10)
        while not threads._free:
            threading.Event().wait(0.001)
    assert len(threads._threads) == 1
    assert threads._threads[0].daemon
    threads.close()
