import { useState } from "react";
import { Loaded } from "@/app/need-engine";
import { useTimes } from "@/app/times";
import type { PlanItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { type Books, useBooks } from "./books";
import { CheckoutDialog } from "./checkout-dialog";
import { Records } from "./records";
import { UsageChart } from "./usage-chart";
import "./billing.css";

/** The plan one has, what it was used for, how to get more, and the papers. */
export default function Billing() {
  const t = useT();
  const live = useBooks();
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("nav.billing")}</h1>
          <p>{t("billing.text")}</p>
        </div>
      </div>
      <Loaded live={live}>{(books) => <Screen books={books} onChanged={live.reload} />}</Loaded>
    </div>
  );
}

function Screen({ books, onChanged }: { books: Books; onChanged(): void }) {
  const t = useT();
  const [wanted, setWanted] = useState<PlanItem | null>(null);
  const { plans, subscription, usage } = books;
  return (
    <>
      {!plans.enforced && <Notice>{t("billing.free")}</Notice>}
      {books.notices.slice(0, 3).map((notice) => (
        <Notice key={notice.id} tone="warn">
          {notice.message}
        </Notice>
      ))}
      <div className="billing-top">
        <Present books={books} />
        <UsageChart days={usage.days} />
      </div>
      {plans.enforced && (
        <section className="stack">
          <h2>{t("billing.plans")}</h2>
          <ul className="plain-list plan-grid">
            {plans.plans.map((plan) => (
              <PlanCard
                key={plan.id}
                plan={plan}
                present={plan.id === subscription.plan}
                onChoose={
                  plans.chains.length > 0 && Object.keys(plan.prices).length > 0
                    ? () => setWanted(plan)
                    : null
                }
              />
            ))}
          </ul>
          {plans.chains.length === 0 && <p className="muted">{t("billing.noChains")}</p>}
        </section>
      )}
      <Records books={books} onChanged={onChanged} />
      {wanted && (
        <CheckoutDialog
          plan={wanted}
          chains={plans.chains}
          onClose={() => {
            setWanted(null);
            onChanged();
          }}
        />
      )}
    </>
  );
}

const COUNTED = ["engines", "shares", "relay_messages_per_day"] as const;

/** The plan in force, and how far its limits are used up. */
function Present({ books: { plans, subscription, usage } }: { books: Books }) {
  const t = useT();
  const times = useTimes();
  const plan = plans.plans.find(({ id }) => id === subscription.plan);
  const ends = subscription.expires_at;
  return (
    <section className="card card-pad stack" aria-label={t("billing.present")}>
      <div className="spread">
        <h2>{plan?.name ?? subscription.plan}</h2>
        <span className="muted">
          {ends ? t("sharing.until", { when: times.date(Date.parse(ends)) }) : t("billing.endless")}
        </span>
      </div>
      <dl className="billing-limits">
        {COUNTED.map((name) => {
          const used = usage.used[name] ?? 0;
          const limit = plans.enforced ? usage.limits[name] : null;
          return (
            <div key={name}>
              <dt>{t(`billing.limit.${name}`)}</dt>
              <dd>
                <span>
                  {limit === null ? t("billing.unlimited", { used }) : t("billing.of", { used, limit })}
                </span>
                {limit !== null && (
                  <progress
                    max={Math.max(limit, 1)}
                    value={Math.min(used, limit)}
                    data-full={used >= limit}
                    aria-label={t(`billing.limit.${name}`)}
                  />
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

function PlanCard({
  plan,
  present,
  onChoose,
}: {
  plan: PlanItem;
  present: boolean;
  onChoose: (() => void) | null;
}) {
  const t = useT();
  const { limits } = plan;
  const amount = (limit: number | null) => (limit === null ? "∞" : String(limit));
  return (
    <li className="card card-pad plan-card" data-present={present}>
      <div className="spread">
        <h3>{plan.name}</h3>
        {present && <Badge tone="good">{t("billing.yours")}</Badge>}
      </div>
      <p className="muted">{plan.description}</p>
      <p className="plan-price">
        {Object.entries(plan.prices)
          .map(([asset, price]) => `${price} ${asset}`)
          .join(` ${t("billing.or")} `) || t("billing.noPrice")}
      </p>
      <ul className="plain-list plan-limits">
        {COUNTED.map((name) => (
          <li key={name}>
            {t(`billing.limit.${name}`)}: {amount(limits[name])}
          </li>
        ))}
      </ul>
      {onChoose && (
        <Button kind={present ? "plain" : "primary"} onClick={onChoose}>
          {t(present ? "billing.extend" : "billing.choose", { name: plan.name })}
        </Button>
      )}
    </li>
  );
}
