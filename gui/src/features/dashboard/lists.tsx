import { Link } from "wouter";
import { durationOf } from "@/app/times";
import type { ActiveJob, NamedCount, SlowPreset } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";

/** What runs now. */
export function ActiveJobs({ jobs }: { jobs: ActiveJob[] }) {
  const t = useT();
  return (
    <section className="card card-pad stack">
      <h2>{t("dashboard.active", { count: jobs.length })}</h2>
      {jobs.length === 0 && <p className="muted">{t("dashboard.noActive")}</p>}
      <ul className="plain-list board-list">
        {jobs.map((job) => (
          <li key={job.id} className="spread">
            <Link href={`/runs/${encodeURIComponent(job.id)}`}>{job.preset ?? t("runs.unsaved")}</Link>
            <span className="muted">{durationOf(job.duration_seconds * 1000)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Bar {
  name: string;
  size: number;
  label: string;
}

function Bars({ title, empty, bars, tone }: { title: string; empty: string; bars: Bar[]; tone: string }) {
  const most = Math.max(...bars.map((bar) => bar.size), 1);
  return (
    <section className="card card-pad stack">
      <h2>{title}</h2>
      {bars.length === 0 && <p className="muted">{empty}</p>}
      <ul className="plain-list stack bars">
        {bars.map((bar) => (
          <li key={bar.name}>
            <div className="spread">
              <span className="bar-name">{bar.name}</span>
              <span className="muted">{bar.label}</span>
            </div>
            <svg className="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
              <rect className="outcome-none" width="100" height="6" />
              <rect className={tone} width={(bar.size / most) * 100} height="6" />
            </svg>
          </li>
        ))}
      </ul>
    </section>
  );
}

export function SlowPresets({ presets }: { presets: SlowPreset[] }) {
  const t = useT();
  const bars = presets.map(({ name, avg_duration_ms: ms }) => ({ name, size: ms, label: durationOf(ms) }));
  return <Bars title={t("dashboard.slow")} empty={t("dashboard.noRuns")} bars={bars} tone="bar-slow" />;
}

export function FailingPresets({ presets }: { presets: NamedCount[] }) {
  const t = useT();
  const bars = presets.map(({ name, count }) => ({ name, size: count, label: String(count) }));
  return (
    <Bars title={t("dashboard.failing")} empty={t("dashboard.noFailing")} bars={bars} tone="outcome-bad" />
  );
}
