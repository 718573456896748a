"""Periodic work on Celery with Redis: ``celery -A gateway.worker worker -B``; set GATEWAY_JOBS=celery for the gateway.

The tasks are the same functions that the gateway runs in its own process otherwise. They carry no data: a message that
is lost, late or there twice changes nothing, because every job looks at the database for what is to be done.
"""

from __future__ import annotations

import logging
import os
from functools import cache

from celery import Celery  # type: ignore[import-untyped]
from sqlalchemy.exc import SQLAlchemyError

from gateway.billing.service import Billing, Job
from gateway.db import migrate
from gateway.db.opening import open_store
from gateway.settings import FOREIGN, PREFIXES, GatewaySettings
from gateway.sweeping import Sweeper
from shared.clock import SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.settings import load

TASK = "gateway.jobs"

_log = logging.getLogger(__name__)


@cache
def settings() -> GatewaySettings:
    """Return the settings of this process; raises CONFIGURATION, also without Redis."""
    read = load(GatewaySettings, os.environ, prefixes=PREFIXES, foreign=FOREIGN)
    if not read.storage.shared_redis:
        raise FloworkError(ErrorCode.CONFIGURATION, "The worker needs REDIS_URL.")
    return read


@cache
def jobs() -> dict[str, Job]:
    """Return the periodic work on a database of this process's own; made at the first task, after Celery has forked."""
    read, clock = settings(), SystemClock()
    database = open_store(read)
    migrate.upgrade(database)
    shared = Billing.open(read.billing, database, clock).shared_jobs()
    return shared | {"sweep": Sweeper(database, clock).sweep}


def run_jobs() -> list[str]:
    """Do all periodic work once, each job whether or not another fails, and return what was done."""
    done: list[str] = []
    for name, job in jobs().items():
        try:
            job()
        except (FloworkError, SQLAlchemyError, OSError):
            _log.exception("periodic work failed", extra={"job": name})
        else:
            done.append(name)
    return done


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
