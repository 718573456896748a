import { useState } from "react";
import { Link } from "wouter";
import { useLoaded } from "@/app/live";
import { Listed } from "@/app/need-engine";
import { useSession } from "@/app/session";
import { useTimes } from "@/app/times";
import type { TriggerItem } from "@/contract/contract.gen";
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
  const { id, preset_name: preset, counts, running } = rule;
  // asked again whenever the rule has fired or a run of it has ended
  const live = useLoaded(async () => {
    const found = await engine?.request("list_runs", { preset_name: preset, limit: LOOKED_AT });
    return (found?.runs ?? []).filter((run) => run.origin === `trigger:${id}`).slice(0, SHOWN);
  }, [id, preset, counts.fired ?? 0, running]);
  return (
    <Listed live={live} empty={<p className="muted">{t("triggers.noFirings")}</p>}>
      {(runs) => (
        <ul className="plain-list trigger-runs">
          {runs.map((run) => (
            <li key={run.job_id}>
              <Link href={`/runs/${encodeURIComponent(run.job_id)}`}>{times.date(run.started_at)}</Link>
              <RunStatusBadge status={run.status} />
            </li>
          ))}
        </ul>
      )}
    </Listed>
  );
}
