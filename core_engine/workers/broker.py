"""Celery on Redis: the application, the names of its queues, and how tickets are sent."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import redis
from celery import Celery  # type: ignore[import-untyped]
from celery.signals import setup_logging  # type: ignore[import-untyped]
from kombu.exceptions import OperationalError as BrokerError

from shared.errors import ErrorCode, FloworkError

STEP = "flowork.step"
CANARY = "flowork.canary"
SECONDS = 5.0
"""How long Redis may take for one answer."""
MARK = "flowork:steps"
_OURS = ("flowork", "_kombu", "unacked")
_LOOPBACK = ("localhost", "127.", "::1")
_AWAY = (redis.RedisError, BrokerError, OSError)
_LOG = logging.getLogger(__name__)


class Hint(NamedTuple):
    """A ticket and the queue it goes to."""

    claim: str
    queue: str
    ticket: str


def queue_name(engine_id: str, queue: str, label: str) -> str:
    """Return the queue of the workers that serve ``queue`` and have the label, if one is wanted."""
    return f"flowork.{engine_id}.{queue}" + (f".{label}" if label else "")


def queue_names(engine_id: str, queues: Iterable[str], labels: Sequence[str]) -> list[str]:
    """Return every queue that a worker listens to."""
    return [queue_name(engine_id, queue, label) for queue in queues for label in ("", *labels)]


def make_app(redis_url: str) -> Celery:
    """Return a Celery application that keeps nothing, retries nothing and takes no orders but tasks of JSON."""
    app = Celery("flowork-steps", broker=redis_url, set_as_current=False)
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue="flowork.unused",
        task_default_delivery_mode="transient",
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_max_tasks_per_child=1000,
        broker_connection_retry=True,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "socket_timeout": SECONDS,
            "socket_connect_timeout": SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
    )
    return app


def keep_own_logging() -> None:
    """Keep Celery from setting up logging, and from writing every ticket with its seal."""
    setup_logging.connect(_leave_alone)
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _leave_alone(**_facts: Any) -> None:
    pass


class Broker:
    """Sends tickets and looks at queues; its methods block for a few seconds at most and are called on a thread."""

    def __init__(self, redis_url: str) -> None:
        self._app = make_app(redis_url)
        self._redis = connect(redis_url)
        self._line: Any = None

    def send(self, hints: Sequence[Hint]) -> list[str]:
        """Send tickets; return the claims of those that Redis has taken, in order, up to the first it has not.

        The connection is kept, for making one costs ten times as much as a ticket does. One thread at a time.
        """
        sent: list[str] = []
        lines = 1 if self._line is None else 2  # a kept one may have been cut, which says nothing about now
        for left in reversed(range(lines)):
            try:
                self._send(hints[len(sent) :], sent)
            except _AWAY as error:
                self._hang_up()
                if not left:
                    _LOG.warning(
                        "steps cannot be sent to workers now", extra={"reason": type(error).__name__}
                    )
            else:
                break
        return sent

    def _send(self, hints: Sequence[Hint], sent: list[str]) -> None:
        if self._line is None:
            self._line = self._app.connection_for_write()
            self._line.ensure_connection(max_retries=1, timeout=SECONDS)
        with self._line.Producer() as producer:
            for hint in hints:
                self._app.send_task(
                    STEP, args=[hint.ticket], queue=hint.queue, producer=producer, retry=False
                )
                sent.append(hint.claim)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(*_AWAY):
                line.release()

    def waiting(self, queues: Iterable[str]) -> dict[str, int]:
        """Return how many tickets wait in each queue; empty while Redis does not answer."""
        names = list(queues)
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                for name in names:
                    pipeline.llen(name)
                return dict(zip(names, pipeline.execute(), strict=True))
        except (redis.RedisError, OSError):
            return {}

    def close(self) -> None:
        """Close all connections."""
        self._hang_up()
        self._app.close()
        self._redis.close()


def connect(redis_url: str) -> redis.Redis:
    """Return a client; raises CONFIGURATION for what is no address of a Redis."""
    try:
        return redis.Redis.from_url(redis_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    except ValueError as error:
        raise FloworkError(ErrorCode.CONFIGURATION, "REDIS_URL is not the address of a Redis.") from error


def check_redis(redis_url: str, *, must_answer: bool) -> None:
    """Refuse a Redis that would lose tickets, is open to others, or belongs to something else.

    Raises CONFIGURATION. One that does not answer is refused only where it ``must_answer``: an engine goes on
    without it, and sends what waits when it is back.
    """
    client = connect(redis_url)
    try:
        _check_password(client)
        policy = client.info("memory").get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            message = (
                f"Redis drops messages when its memory is full (maxmemory-policy {policy}); set noeviction."
            )
            raise FloworkError(ErrorCode.CONFIGURATION, message)
        _check_database(client)
    except redis.AuthenticationError as error:
        raise FloworkError(ErrorCode.CONFIGURATION, "Redis refuses the password of REDIS_URL.") from error
    except (redis.RedisError, OSError) as error:
        reason = f"Redis does not answer ({type(error).__name__})"
        if must_answer:
            raise FloworkError(ErrorCode.CONFIGURATION, f"{reason}; look at REDIS_URL.") from error
        _LOG.warning("%s; steps wait until it does", reason)
    finally:
        client.close()


def _check_password(client: redis.Redis) -> None:
    known = client.connection_pool.connection_kwargs
    host = str(known.get("host", ""))
    if host and not host.startswith(_LOOPBACK) and not known.get("password"):
        message = (
            f"The Redis at {host} has no password in REDIS_URL; one that others can reach must have one."
        )
        raise FloworkError(ErrorCode.CONFIGURATION, message)


def _check_database(client: redis.Redis) -> None:
    """Refuse a database that holds keys of others: a flush of theirs would be ours, and the other way round."""
    if client.exists(MARK):
        return
    _cursor, keys = client.scan(count=200)
    names = [key.decode(errors="replace") if isinstance(key, bytes) else key for key in keys]
    foreign = [name for name in names if not name.startswith(_OURS)]
    if foreign:
        number = client.connection_pool.connection_kwargs.get("db", 0)
        message = (
            f"Database {number} of Redis is used by something else already; give the steps one of their own"
            " by another number at the end of ENGINE_REDIS_URL."
        )
        raise FloworkError(ErrorCode.CONFIGURATION, message)
    client.set(MARK, "1")
