import { Link } from "wouter";
import { durationOf, useTimes } from "@/app/times";
import type { RunSummary } from "@/contract/contract.gen";
import { shortAddress } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { RunStatusBadge } from "./run-status";

/** Runs as rows; on a narrow page as cards. */
export function RunTable({ runs }: { runs: RunSummary[] }) {
  const t = useT();
  return (
    <div className="card table-frame">
      <table className="table run-table">
        <thead>
          <tr>
            <th scope="col">{t("runs.run")}</th>
            <th scope="col">{t("runs.status")}</th>
            <th scope="col">{t("runs.started")}</th>
            <th scope="col">{t("runs.duration")}</th>
            <th scope="col">{t("runs.by")}</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <RunRow key={run.job_id} run={run} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function RunRow({ run }: { run: RunSummary }) {
  const t = useT();
  const times = useTimes();
  const until = run.finished_at ?? Date.now();
  return (
    <tr>
      <td className="run-name">
        <Link href={`/runs/${encodeURIComponent(run.job_id)}`}>{run.preset_name ?? t("runs.unsaved")}</Link>
        {run.mode === "SIMULATE" && <Badge tone="info">{t("runs.simulated")}</Badge>}
        {run.error_message && <p className="muted run-error">{run.error_message}</p>}
      </td>
      <td>
        <RunStatusBadge status={run.status} />
      </td>
      <td>
        <time dateTime={new Date(run.started_at).toISOString()} title={times.date(run.started_at)}>
          {times.ago(run.started_at)}
        </time>
      </td>
      <td className="run-duration">{durationOf(until - run.started_at)}</td>
      <td className="mono muted">
        {/^0x/.test(run.started_by) ? shortAddress(run.started_by) : run.started_by}
      </td>
    </tr>
  );
}
