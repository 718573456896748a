"""Invoices of a deleted account stay, without its address: the one change of an invoice that the database allows."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0020"
branch_labels = None
depends_on = None

_REFUSAL = "invoices cannot be changed"
_FORGOTTEN = "deleted"


def upgrade() -> None:
    """Let the guard of invoices pass what takes the buyer's address out and nothing else."""
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER billing_invoices_no_update")
        op.execute(
            "CREATE TRIGGER billing_invoices_no_update BEFORE UPDATE ON billing_invoices "
            f"WHEN NOT ({_only_forgets('instr')}) BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        )
    else:
        op.execute(
            "CREATE OR REPLACE FUNCTION billing_invoices_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN IF TG_OP = 'UPDATE' THEN IF ({_only_forgets('strpos')}) THEN RETURN NEW; END IF; END IF; "
            f"RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )


def _only_forgets(place: str) -> str:
    """Return the SQL condition of the allowed change; ``place`` is the function that finds a text in another."""
    found = f"{place}(lower(OLD.content), OLD.address)"
    before = f"substr(OLD.content, 1, {found} - 1)"
    behind = f"substr(OLD.content, {found} + length(OLD.address))"
    content = f"CASE WHEN {found} = 0 THEN OLD.content ELSE {before} || '{_FORGOTTEN}' || {behind} END"
    same = " AND ".join(f"NEW.{name} = OLD.{name}" for name in ("number", "source", "sha256", "issued_ms"))
    return f"NEW.address = '{_FORGOTTEN}' AND {same} AND NEW.content = {content}"
