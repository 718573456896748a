import { useState } from "react";
import type { UsageDay } from "@/contract/contract.gen";
import { useT, useWords } from "@/i18n/words";
import { SelectField } from "@/ui/field";

const MEASURES = ["relay_messages", "runs_started", "engine_days"] as const;
type Measure = (typeof MEASURES)[number];
const HEIGHT = 100;

/** What was used on each of the last days, as bars; the numbers are there for everybody as a table. */
export function UsageChart({ days }: { days: UsageDay[] }) {
  const t = useT();
  const language = useWords((state) => state.language);
  const [measure, setMeasure] = useState<Measure>("relay_messages");
  const most = Math.max(...days.map((day) => day[measure]), 1);
  const sum = days.reduce((total, day) => total + day[measure], 0);
  const dateOf = (day: string) =>
    new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(day));
  return (
    <section className="card card-pad stack" aria-label={t("billing.usage")}>
      <div className="spread">
        <h2>{t("billing.usage")}</h2>
        <span className="muted">{t("billing.sum", { count: sum })}</span>
      </div>
      <SelectField
        label={t("billing.measure")}
        value={measure}
        options={MEASURES.map((name) => ({ value: name, label: t(`billing.measure.${name}`) }))}
        onChange={(name) => setMeasure(name as Measure)}
      />
      <svg
        className="usage-chart"
        viewBox={`0 0 ${days.length * 10} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        {days.map((day, place) => {
          const height = Math.max((day[measure] / most) * HEIGHT, day[measure] ? 2 : 0.7);
          return (
            <rect key={day.day} x={place * 10 + 1} y={HEIGHT - height} width="8" height={height}>
              <title>{`${dateOf(day.day)}: ${day[measure]}`}</title>
            </rect>
          );
        })}
      </svg>
      <div className="spread muted">
        <span>{days[0] && dateOf(days[0].day)}</span>
        <span>{days.at(-1) && dateOf(days.at(-1)?.day ?? "")}</span>
      </div>
      <table className="visually-hidden">
        <caption>{t("billing.usage")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("billing.day")}</th>
            <th scope="col">{t(`billing.measure.${measure}`)}</th>
          </tr>
        </thead>
        <tbody>
          {days.map((day) => (
            <tr key={day.day}>
              <td>{dateOf(day.day)}</td>
              <td>{day[measure]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
