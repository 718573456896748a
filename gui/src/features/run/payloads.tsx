import { useState } from "react";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { DataShapes } from "./data-view";
import type { WireData } from "./wire-data";

/** The payloads of one connection: the newest first, with a choice where there are several. */
export function Payloads({ data, root }: { data: WireData; root?: string | undefined }) {
  const t = useT();
  const [chosen, setChosen] = useState<number | null>(null);
  if (data.problem) return <Notice tone="bad">{data.problem}</Notice>;
  if (!data.payloads) return <output className="spinner" aria-label={t("designer.loading")} />;
  if (data.payloads.length === 0) return <p className="field-hint">{t("data.nothingPassed")}</p>;
  const at = chosen !== null && chosen < data.payloads.length ? chosen : data.payloads.length - 1;
  return (
    <div className="stack">
      {data.payloads.length > 1 && (
        <label className="row">
          {t("data.item")}
          <select
            className="input payload-choice"
            value={at}
            onChange={(event) => setChosen(Number(event.target.value))}
          >
            {data.payloads.map((_, place) => (
              // Payloads are known by their place only.
              <option key={place} value={place}>
                {place + 1} / {data.payloads?.length}
              </option>
            ))}
          </select>
        </label>
      )}
      <DataShapes value={data.payloads[at]?.data} root={root} />
    </div>
  );
}
