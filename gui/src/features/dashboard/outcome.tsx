import type { RunCounts } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";

/** How many runs of the last 24 hours went well. */
export function Outcome({ counts }: { counts: RunCounts }) {
  const t = useT();
  const all = counts.success + counts.failed;
  const share = all === 0 ? null : Math.round((counts.success / all) * 100);
  return (
    <section className="card card-pad stack" aria-label={t("dashboard.day")}>
      <h2>{t("dashboard.day")}</h2>
      <div className="outcome">
        <div>
          <strong className="outcome-figure" data-tone="good">
            {counts.success}
          </strong>
          <span className="muted">{t("dashboard.succeeded")}</span>
        </div>
        <div>
          <strong className="outcome-figure" data-tone={counts.failed ? "bad" : undefined}>
            {counts.failed}
          </strong>
          <span className="muted">{t("dashboard.failed")}</span>
        </div>
        <div>
          <strong className="outcome-figure">{share === null ? "–" : `${share} %`}</strong>
          <span className="muted">{t("dashboard.rate")}</span>
        </div>
      </div>
      <svg className="outcome-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="outcome-none" width="100" height="8" />
        {share !== null && <rect className="outcome-bad" width="100" height="8" />}
        {share !== null && <rect className="outcome-good" width={share} height="8" />}
      </svg>
    </section>
  );
}
