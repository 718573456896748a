import { useEffect, useState } from "react";
import { Link } from "wouter";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { RunSummary, TriggerItem } from "@/contract/contract.gen";
import { RunStatusBadge } from "@/features/runs/run-status";
import { useT } from "@/i18n/words";

const LOOKED_AT = 100;
const SHOWN = 5;

/** The latest runs that a rule started, looked up when somebody opens them. */
export function Firings({ rule }: { rule: TriggerItem }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  return (
    <details className="trigger-firings" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("triggers.firings")}</summary>
      {open && <Latest rule={rule} />}
    </details>
  );
}

function Latest({ rule }: { rule: TriggerItem }) {
  const t = useT();
  const times = useTimes();
  const engine = useSession((state) => state.engine);
  const [runs, setRuns] = useState<RunSummary[] | null>(null);
  const [problem, setProblem] = useState("");
  const { id, preset_name: preset, counts, running } = rule;
  // asked again whenever the rule has fired or a run of it has ended
  const turn = `${counts.fired ?? 0} ${running}`;
  useEffect(() => {
    let left = false;
    engine?.request("list_runs", { preset_name: preset, limit: LOOKED_AT }).then(
      (found) => {
        const own = found.runs.filter((run) => run.origin === `trigger:${id}`);
        if (!left) setRuns(own.slice(0, SHOWN));
      },
      (error: unknown) => !left && setProblem(sentenceOf(error)),
    );
    return () => {
      left = true;
    };
  }, [engine, id, preset, turn]);
  if (problem) return <p className="field-problem">{problem}</p>;
  if (runs === null) return <output className="spinner" aria-label={t("common.loading")} />;
  if (runs.length === 0) return <p className="muted">{t("triggers.noFirings")}</p>;
  return (
    <ul className="plain-list trigger-runs">
      {runs.map((run) => (
        <li key={run.job_id}>
          <Link href={`/runs/${encodeURIComponent(run.job_id)}`}>{times.date(run.started_at)}</Link>
          <RunStatusBadge status={run.status} />
        </li>
      ))}
    </ul>
  );
}
