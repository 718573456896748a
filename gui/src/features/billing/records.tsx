import { Download } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { Invoice, Payment } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Badge, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { saveFile } from "@/ui/save-file";
import { tellError } from "@/ui/toasts";
import type { Books } from "./books";
import { unitsText } from "./money";

const TONES: Record<string, Tone> = { ok: "good", overpaid: "good", pending: "info", failed: "bad" };

/** Invoices, payments and credit; what there is none of is left out. */
export function Records({ books, onChanged }: { books: Books; onChanged(): void }) {
  const t = useT();
  const { invoices, payments, credits, plans } = books;
  const decimalsOf = (chainId: number, asset: string | null) =>
    plans.chains.find((chain) => chain.chain_id === chainId)?.assets.find(({ symbol }) => symbol === asset)
      ?.decimals;
  const shown = (amount: string | null, chainId: number, asset: string | null) => {
    const decimals = decimalsOf(chainId, asset);
    return amount === null || decimals === undefined ? "–" : `${unitsText(amount, decimals)} ${asset ?? ""}`;
  };
  const balances = credits.balances.filter(({ amount }) => amount !== "0");
  return (
    <>
      {balances.length > 0 && (
        <section className="card card-pad stack">
          <h2>{t("billing.credit")}</h2>
          <p className="muted">{t("billing.creditText")}</p>
          <ul className="plain-list">
            {balances.map((item) => (
              <li key={`${item.chain_id} ${item.asset}`}>
                <strong>{shown(item.amount, item.chain_id, item.asset)}</strong>
              </li>
            ))}
          </ul>
        </section>
      )}
      {invoices.length > 0 && (
        <Table title={t("billing.invoices")}>
          {invoices.map((invoice) => (
            <InvoiceRow key={invoice.number} invoice={invoice} />
          ))}
        </Table>
      )}
      {payments.length > 0 && (
        <Table title={t("billing.payments")}>
          {payments.map((payment) => (
            <PaymentRow
              key={payment.tx_hash}
              payment={payment}
              amount={shown(payment.amount, payment.chain_id, payment.asset)}
              onChanged={onChanged}
            />
          ))}
        </Table>
      )}
    </>
  );
}

function Table({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="stack">
      <h2>{title}</h2>
      <ul className="card plain-list record-list" aria-label={title}>
        {children}
      </ul>
    </section>
  );
}

function InvoiceRow({ invoice }: { invoice: Invoice }) {
  const t = useT();
  const times = useTimes();
  const rest = useSession((state) => state.rest);
  const [busy, setBusy] = useState(false);
  const number = String(invoice.number);

  async function download() {
    setBusy(true);
    try {
      saveFile(await rest.download("download_invoice", { path: { number } }), `invoice-${number}.pdf`);
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }

  return (
    <li>
      <strong>{t(invoice.corrects === null ? "billing.invoice" : "billing.creditNote", { number })}</strong>
      <span className="grow muted">
        {times.date(Date.parse(invoice.issued_at))} · {invoice.plan} × {invoice.months}
      </span>
      <span>
        {invoice.total} {invoice.asset}
      </span>
      <Button
        size="small"
        busy={busy}
        aria-label={t("billing.download", { number })}
        onClick={() => void download()}
      >
        <Download size={14} aria-hidden="true" />
        PDF
      </Button>
    </li>
  );
}

function PaymentRow({ payment, amount, onChanged }: { payment: Payment; amount: string; onChanged(): void }) {
  const t = useT();
  const times = useTimes();
  return (
    <li>
      <Badge tone={TONES[payment.outcome] ?? "warn"}>{t(`billing.outcome.${payment.outcome}`)}</Badge>
      <span className="mono">{payment.tx_hash.slice(0, 12)}…</span>
      <span className="grow muted">
        {times.date(Date.parse(payment.at))} · {payment.message}
      </span>
      <span>{amount}</span>
      {payment.outcome === "pending" && (
        <Button size="small" onClick={onChanged}>
          {t("billing.confirmations", {
            count: payment.confirmations,
            needed: payment.confirmations_needed,
          })}
        </Button>
      )}
    </li>
  );
}
