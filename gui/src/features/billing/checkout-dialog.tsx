import { Wallet } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { ChainItem, Payment, PlanItem, Quote } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { CopyButton } from "@/ui/copy";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { type FoundWallet, findWallets } from "@/wallet/providers";
import { payBy, unitsText, WrongWallet } from "./money";

const MONTHS = [1, 3, 6, 12];

interface Props {
  plan: PlanItem;
  chains: ChainItem[];
  onClose(): void;
}

/** From a plan to a payment: a quote first, then the wallet or the hash of what was sent. */
export function CheckoutDialog({ plan, chains, onClose }: Props) {
  const t = useT();
  const rest = useSession((state) => state.rest);
  const ways = chains.flatMap((chain) =>
    chain.assets
      .filter(({ symbol }) => symbol in plan.prices)
      .map(({ symbol }) => ({
        value: `${chain.chain_id} ${symbol}`,
        label: t("billing.way", { asset: symbol, chain: chain.name, price: plan.prices[symbol] ?? "" }),
      })),
  );
  const [way, setWay] = useState(ways[0]?.value ?? "");
  const [months, setMonths] = useState(1);
  const [quote, setQuote] = useState<Quote | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function ask(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    const [chain = "", asset = ""] = way.split(" ");
    try {
      const body = { plan: plan.id, months, chain_id: Number(chain), asset };
      setQuote(await rest.call("checkout", { body }));
    } catch (error) {
      setProblem(sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={t("billing.buy", { name: plan.name })}>
      {quote ? (
        <Pay quote={quote} onClose={onClose} />
      ) : (
        <form className="stack" onSubmit={(event) => void ask(event)}>
          <SelectField
            label={t("billing.months")}
            value={String(months)}
            options={MONTHS.map((count) => ({ value: String(count), label: String(count) }))}
            onChange={(count) => setMonths(Number(count))}
          />
          <SelectField label={t("billing.payIn")} value={way} options={ways} onChange={setWay} />
          {ways.length === 0 && <Notice tone="warn">{t("billing.noChains")}</Notice>}
          {problem && <Notice tone="bad">{problem}</Notice>}
          <div className="dialog-actions">
            <Button onClick={onClose}>{t("common.cancel")}</Button>
            <Button kind="primary" type="submit" busy={busy} disabled={!way}>
              {t("billing.quote")}
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function Pay({ quote, onClose }: { quote: Quote; onClose(): void }) {
  const t = useT();
  const times = useTimes();
  const rest = useSession((state) => state.rest);
  const [wallets, setWallets] = useState<FoundWallet[]>([]);
  const [hash, setHash] = useState("");
  const [busy, setBusy] = useState(false);
  const [payment, setPayment] = useState<Payment | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => {
    setWallets([]);
    return findWallets((wallet) => setWallets((before) => [...before, wallet]));
  }, []);

  async function act(action: () => Promise<string>) {
    setBusy(true);
    setProblem("");
    try {
      const sent = await action();
      setHash(sent); // kept: if telling of it fails, it can be told again
      const body = { tx_hash: sent, chain_id: quote.chain_id };
      setPayment(await rest.call("submit_payment", { body }));
    } catch (error) {
      const wrong = error instanceof WrongWallet;
      setProblem(wrong ? t("billing.wrongWallet", { address: quote.payer }) : sentenceOf(error));
    } finally {
      setBusy(false);
    }
  }

  if (quote.status === "paid" || payment) {
    const good = !payment || ["ok", "overpaid", "pending"].includes(payment.outcome);
    return (
      <>
        <Notice tone={good ? "good" : "warn"}>{payment?.message ?? t("billing.paidByCredit")}</Notice>
        <div className="dialog-actions">
          <Button kind="primary" onClick={onClose}>
            {t("common.done")}
          </Button>
        </div>
      </>
    );
  }
  const amount = unitsText(quote.amount, quote.decimals);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void act(() => Promise.resolve(hash.trim()));
      }}
    >
      <Notice>
        {t("billing.sendExactly", { until: times.date(Date.parse(quote.expires_at)), from: quote.payer })}
      </Notice>
      <dl className="quote">
        <dt>{t("billing.amount")}</dt>
        <dd>
          <strong>
            {amount} {quote.asset}
          </strong>
          <CopyButton text={amount} label={t("billing.amount")} compact />
        </dd>
        <dt>{t("billing.recipient")}</dt>
        <dd>
          <span className="mono">{quote.recipient}</span>
          <CopyButton text={quote.recipient} label={t("billing.recipient")} compact />
        </dd>
      </dl>
      {wallets.map((wallet) => (
        <Button
          key={wallet.name}
          kind="primary"
          busy={busy}
          onClick={() => void act(() => payBy(wallet.provider, quote))}
        >
          <Wallet size={16} aria-hidden="true" />
          {t("billing.payWith", { name: wallet.name })}
        </Button>
      ))}
      <TextField
        label={t("billing.hash")}
        hint={t("billing.hashHint")}
        pattern="0x[0-9a-fA-F]{64}"
        required
        spellCheck={false}
        autoComplete="off"
        value={hash}
        onChange={(event) => setHash(event.target.value)}
      />
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div className="dialog-actions">
        <Button onClick={onClose}>{t("common.close")}</Button>
        <Button type="submit" busy={busy} disabled={!hash.trim()}>
          {t("billing.tell")}
        </Button>
      </div>
    </form>
  );
}
