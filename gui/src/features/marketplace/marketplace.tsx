import { Store } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { Loading } from "@/app/need-engine";
import { useSession } from "@/app/session";
import type { MarketItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Empty, Notice } from "@/ui/badge";
import { TextField } from "@/ui/field";
import { ItemCard } from "./item-card";
import { found, listItems } from "./market";
import "@/features/presets/presets.css";
import "./marketplace.css";

/** Workflows that others published on this gateway. */
export default function Marketplace() {
  const t = useT();
  const rest = useSession((state) => state.rest);
  const [items, setItems] = useState<MarketItem[] | null>(null);
  const [problem, setProblem] = useState("");
  const [text, setText] = useState("");
  const load = useCallback(() => {
    listItems(rest).then(setItems, (error: unknown) => setProblem(sentenceOf(error)));
  }, [rest]);
  useEffect(load, [load]);
  const shown = found(items ?? [], text);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("nav.marketplace")}</h1>
          <p>{t("market.text")}</p>
        </div>
      </div>
      {problem && <Notice tone="bad">{problem}</Notice>}
      {items === null && !problem && <Loading />}
      {items?.length === 0 && (
        <Empty icon={<Store size={32} aria-hidden="true" />} title={t("market.none")}>
          <p>{t("market.noneText")}</p>
        </Empty>
      )}
      {items && items.length > 0 && (
        <>
          <div className="preset-search">
            <TextField
              label={t("market.search")}
              type="search"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
          {shown.length === 0 && <p className="muted">{t("presets.noneFound")}</p>}
          <ul className="plain-list preset-grid" aria-label={t("nav.marketplace")}>
            {shown.map((item) => (
              <ItemCard key={item.id} item={item} onChanged={load} />
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
