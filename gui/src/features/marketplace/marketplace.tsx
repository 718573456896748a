import { Store } from "lucide-react";
import { useState } from "react";
import { useLoaded } from "@/app/live";
import { Listed } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { MarketItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Empty } from "@/ui/badge";
import { TextField } from "@/ui/field";
import { ItemCard } from "./item-card";
import { found, listItems } from "./market";
import "@/features/presets/presets.css";
import "./marketplace.css";

/** Workflows that others published on this gateway. */
export default function Marketplace() {
  const t = useT();
  const rest = useSession((state) => state.rest);
  const [text, setText] = useState("");
  const live = useLoaded(() => listItems(rest), []);
  const icon = <Store size={32} aria-hidden="true" />;
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("nav.marketplace")}</h1>
          <p>{t("market.text")}</p>
        </div>
      </div>
      <Listed
        live={live}
        empty={
          <Empty icon={icon} title={t("market.none")}>
            <p>{t("market.noneText")}</p>
          </Empty>
        }
      >
        {(items) => (
          <>
            <div className="preset-search">
              <TextField
                label={t("market.search")}
                type="search"
                value={text}
                onChange={(event) => setText(event.target.value)}
              />
            </div>
            <Found items={found(items, text)} onChanged={live.reload} />
          </>
        )}
      </Listed>
    </div>
  );
}

function Found({ items, onChanged }: { items: MarketItem[]; onChanged(): void }) {
  const t = useT();
  if (items.length === 0) return <p className="muted">{t("presets.noneFound")}</p>;
  return (
    <ul className="plain-list preset-grid" aria-label={t("nav.marketplace")}>
      {items.map((item) => (
        <ItemCard key={item.id} item={item} onChanged={onChanged} />
      ))}
    </ul>
  );
}
