"""Draws an invoice as a PDF of one page; the same invoice gives the same bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_LABELS = 45
_LINE = 7


def draw(number: int, content: dict[str, Any], sha256: str, issued_ms: int) -> bytes:
    """Return the PDF; ``content`` is what `gateway.billing.settlement` put on the invoice."""
    from fpdf import FPDF  # noqa: PLC0415 - heavy, only where used

    issued = datetime.fromtimestamp(issued_ms / 1000, tz=UTC)
    page = FPDF()
    page.set_creation_date(issued)
    page.set_title(f"Invoice {number}")
    page.set_creator("Flowork")
    page.add_page()
    page.set_font("Helvetica", "B", 20)
    title = "Invoice" if content["corrects"] is None else "Credit note"
    page.cell(0, 14, f"{title} {number}", new_x="LMARGIN", new_y="NEXT")
    for label, value in _rows(content, issued):
        page.set_font("Helvetica", "B", 10)
        page.cell(_LABELS, _LINE, label)
        page.set_font("Helvetica", "", 10)
        page.multi_cell(0, _LINE, _latin(value), new_x="LMARGIN", new_y="NEXT")
    page.ln(_LINE)
    page.set_font("Courier", "", 7)
    page.cell(0, _LINE, f"SHA-256 {sha256}")
    return bytes(page.output())


def _rows(content: dict[str, Any], issued: datetime) -> list[tuple[str, str]]:
    unit = content["asset"]
    rows = [
        ("Date", issued.strftime("%Y-%m-%d %H:%M UTC")),
        ("From", content["seller"]),
        ("To", content["buyer"]),
        ("For", f"Plan {content['name']}, {content['months']} x 30 days"),
        ("Period", f"{content['from']} to {content['to']}"),
        ("Total", f"{content['total']} {unit}"),
        ("of which credit", f"{content['credit']} {unit}"),
        ("of which paid", f"{content['paid']} {unit}"),
        ("Chain", str(content["chain_id"])),
    ]
    if content["tx_hash"]:
        rows.append(("Transaction", content["tx_hash"]))
    if content["corrects"] is not None:
        rows.append(("Takes back", f"Invoice {content['corrects']}"))
    return rows


def _latin(text: str) -> str:
    """Replace what the built-in fonts cannot show."""
    return text.encode("latin-1", "replace").decode("latin-1")
