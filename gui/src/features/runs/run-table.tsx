import { MoreHorizontal, RotateCw, Square } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { useSession } from "@/app/session";
import { durationOf, useTimes } from "@/app/times";
import type { RunSummary } from "@/contract/contract.gen";
import { shortAddress } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Menu, type MenuItem } from "@/ui/menu";
import { tellError } from "@/ui/toasts";
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
            <th scope="col">
              <span className="visually-hidden">{t("runs.actions")}</span>
            </th>
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
      <td className="run-actions">
        <RunMenu run={run} />
      </td>
    </tr>
  );
}

function RunMenu({ run }: { run: RunSummary }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const { job_id: jobId, preset_name: preset } = run;

  async function act(action: () => Promise<unknown> | undefined) {
    setBusy(true);
    try {
      await action();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }
  const again = (version: "same" | "newest") =>
    act(async () => {
      // the new run is named here, so that a lost answer starts nothing twice
      const newId = crypto.randomUUID();
      await engine?.request("rerun", { job_id: jobId, new_job_id: newId, version });
      go(`/runs/${newId}`);
    });
  const over = run.finished_at !== null;
  const items: MenuItem[] = over
    ? [{ label: t("runs.again"), icon: <RotateCw size={16} />, onSelect: () => void again("same") }]
    : [
        {
          label: t("command.stop"),
          icon: <Square size={16} />,
          tone: "bad",
          onSelect: () => void act(() => engine?.request("stop_workflow", { job_id: jobId })),
        },
      ];
  if (over && preset) {
    items.push({
      label: t("runs.againNewest"),
      icon: <RotateCw size={16} />,
      onSelect: () => void again("newest"),
    });
  }
  const label = t("runs.actionsFor", { name: preset ?? t("runs.unsaved") });
  return (
    <Menu
      label={label}
      trigger={
        <Button kind="quiet" size="icon" aria-label={label} disabled={busy}>
          <MoreHorizontal size={18} aria-hidden="true" />
        </Button>
      }
      items={items}
    />
  );
}
