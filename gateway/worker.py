"""Periodic work on Celery with Redis: ``celery -A gateway.worker worker -B``; set GATEWAY_JOBS=celery for the gateway.

The tasks are the same functions that the gateway runs in its own process otherwise. They carry no data: a message that
is lost, late or there twice changes nothing, because every job looks at the database for what is to be done.
"""

from __future__ import annotations

import os
from functools import cache

from celery import Celery  # type: ignore[import-untyped]

from gateway.billing.service import Billing
from gateway.db import migrate
from gateway.db.opening import open_store
from gateway.settings import FOREIGN, PREFIXES, GatewaySettings
from shared.clock import SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.settings import load

TASK = "gateway.jobs"


@cache
def settings() -> GatewaySettings:
    """Return the settings of this process; raises CONFIGURATION, also without Redis."""
    read = load(GatewaySettings, os.environ, prefixes=PREFIXES, foreign=FOREIGN)
    if not read.storage.shared_redis:
        raise FloworkError(ErrorCode.CONFIGURATION, "The worker needs REDIS_URL.")
    return read


@cache
def billing() -> Billing:
    """Return billing on a database of this process's own; made at the first task, after Celery has forked."""
    read = settings()
    database = open_store(read)
    migrate.upgrade(database)
    return Billing.open(read.billing, database, SystemClock())


def run_jobs() -> list[str]:
    """Do all periodic work once and return what was done."""
    jobs = billing().shared_jobs()
    for job in jobs.values():
        job()
    return list(jobs)


def make() -> Celery:
    """Build the Celery application."""
    read = settings()
    made = Celery("flowork-gateway", broker=read.storage.shared_redis)
    seconds = read.billing.jobs_seconds
    made.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_default_queue="flowork-gateway",
        broker_connection_retry_on_startup=True,
        worker_hijack_root_logger=False,
        # Whoever writes to the broker could end or starve the worker otherwise.
        worker_enable_remote_control=False,
        beat_schedule={"jobs": {"task": TASK, "schedule": seconds, "options": {"expires": seconds}}},
    )
    made.task(name=TASK)(run_jobs)
    return made


app = make()
