import { useLive } from "@/app/live";
import { Loaded, NeedEngine } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { LiveStats } from "@/contract/contract.gen";
import { Sparkline } from "@/features/engines/sparkline";
import { useT } from "@/i18n/words";
import { ActiveJobs, FailingPresets, SlowPresets } from "./lists";
import { Outcome } from "./outcome";
import "./dashboard.css";

const REFRESH_MS = 5000;
/** The engine writes moments in UTC into its sentences. */
const MOMENT = /\d{4}-\d{2}-\d{2}T[\d:.]+Z/g;

/** How the engine is doing: the last 24 hours, what runs now, what fails and what is slow. */
export default function Dashboard() {
  const t = useT();
  const engineId = useSession((state) => state.engineId);
  const name = useSession((state) => state.engines?.find((engine) => engine.id === state.engineId)?.name);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t("dashboard.title")}</h1>
          <p>{name ?? engineId}</p>
        </div>
      </div>
      <NeedEngine>
        <Figures />
      </NeedEngine>
    </div>
  );
}

function Figures() {
  const { rest, engineId } = useSession();
  const live = useLive(
    () => rest.call("live_stats", { engineId: engineId ?? undefined }),
    [engineId],
    REFRESH_MS,
  );
  return <Loaded live={live}>{(stats) => <Board stats={stats} />}</Loaded>;
}

function Board({ stats }: { stats: LiveStats }) {
  const t = useT();
  const times = useTimes();
  const history =
    useSession((state) => (state.engineId ? state.states[state.engineId]?.history : null)) ?? [];
  const overview = stats.system_overview;
  const facts = [
    { label: t("dashboard.presets"), value: overview.presets },
    { label: t("dashboard.components"), value: overview.modules + overview.plugins },
    { label: t("dashboard.triggers"), value: overview.triggers },
    { label: t("dashboard.version"), value: overview.kernel_version },
  ];
  return (
    <div className="board">
      <Outcome counts={stats.execution_stats_24h} />
      <section className="card card-pad stack" aria-label={t("dashboard.load")}>
        <h2>{t("dashboard.load")}</h2>
        <div className="board-pair">
          <Sparkline label={t("engines.cpu")} values={history.map((item) => item.cpu_percent)} />
          <Sparkline label={t("engines.memory")} values={history.map((item) => item.memory_percent)} />
        </div>
        <dl className="board-facts">
          {facts.map(({ label, value }) => (
            <div key={label}>
              <dt className="muted">{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      <ActiveJobs jobs={stats.active_jobs} />
      <section className="card card-pad stack">
        <h2>{t("dashboard.recent")}</h2>
        {stats.recent_activity.length === 0 && <p className="muted">{t("dashboard.noRuns")}</p>}
        <ul className="plain-list board-list">
          {stats.recent_activity.map((line) => (
            <li key={line}>{line.replace(MOMENT, (text) => times.date(Date.parse(text)))}</li>
          ))}
        </ul>
      </section>
      <SlowPresets presets={stats.top_slowest_presets} />
      <FailingPresets presets={stats.top_failing_presets} />
    </div>
  );
}
