"""The tables in PostgreSQL through which an engine and its workers agree on who carries a step out."""

from __future__ import annotations

LOCK = 0x666C776B
"""The advisory lock under which the tables are made: two processes may start at the same moment."""

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS step_claim (
        id text PRIMARY KEY,
        engine text NOT NULL,
        run text NOT NULL,
        node text NOT NULL,
        attempt integer NOT NULL,
        step text NOT NULL,
        epoch bigint NOT NULL,
        queue text NOT NULL,
        label text NOT NULL,
        state text NOT NULL,
        fence bigint NOT NULL DEFAULT 0,
        lease_seconds double precision NOT NULL,
        lease_until timestamptz,
        worker text NOT NULL DEFAULT '',
        note text NOT NULL DEFAULT '',
        request bytea NOT NULL,
        result bytea,
        made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        speaks text NOT NULL DEFAULT ''
    )
    """,
    "ALTER TABLE step_claim ADD COLUMN IF NOT EXISTS speaks text NOT NULL DEFAULT ''",
    "CREATE INDEX IF NOT EXISTS step_claim_lease ON step_claim (engine, state, lease_until)",
    "CREATE INDEX IF NOT EXISTS step_claim_step ON step_claim (engine, step)",
    "CREATE INDEX IF NOT EXISTS step_claim_worker ON step_claim (worker) WHERE state = 'LEASED'",
    """
    CREATE TABLE IF NOT EXISTS step_event (
        claim text NOT NULL REFERENCES step_claim (id) ON DELETE CASCADE,
        number integer NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY (claim, number)
    )
    """,
    "CREATE SEQUENCE IF NOT EXISTS step_fence",
    "CREATE TABLE IF NOT EXISTS step_engine (engine text PRIMARY KEY, speaks text NOT NULL)",
)
"""States of a claim: READY (nobody has it), LEASED, DONE (with a result), LOST (its worker is gone).

A claim is leased at most once: what is done again after a loss is a new claim, which the engine's journal knows of.
``speaks`` is the version of the engine that made it: a worker of another version leaves it alone. ``step_engine`` has
the version of each engine that started last.
``fence`` grows with every lease of any claim; a write of a worker names it, so that a late one changes nothing.
"""
