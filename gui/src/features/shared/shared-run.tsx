import { useEffect, useState } from "react";
import { useSession } from "@/app/session";
import type { RunDetails } from "@/contract/contract.gen";
import { useRun } from "@/features/designer/run/store";
import { LogView } from "@/features/run/log-view";
import { NodeDetails } from "@/features/run/node-details";
import { FINAL } from "@/features/run/run-state";
import { barsOf, Timeline } from "@/features/run/timeline";
import { useT, type Word } from "@/i18n/words";
import { Badge, Notice } from "@/ui/badge";
import "@/features/run/run-view.css";

/** How the visitor's latest run goes: its steps in time, their data, its log. */
export function SharedRun() {
  const t = useT();
  const { run, jobId, ran } = useRun();
  const engine = useSession((state) => state.engine);
  const [details, setDetails] = useState<RunDetails | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const status = run?.status;
  useEffect(() => {
    if (!engine || !jobId) return;
    let left = false;
    engine.request("get_run", { job_id: jobId }).then(
      (found) => !left && setDetails(found),
      () => undefined, // the events tell the rest
    );
    return () => {
      left = true;
    };
  }, [engine, jobId, status]);
  if (!run || !details || details.run.job_id !== jobId) return null;
  const over = FINAL.has(run.status);
  const bars = barsOf(details.nodes, run);
  const node = details.nodes.find((item) => item.node_id === (chosen ?? bars.at(-1)?.id));
  return (
    <>
      <section className="card run-card" aria-label={t("shared.run")}>
        <div className="spread">
          <h2>{t("shared.run")}</h2>
          <Badge tone={run.status === "SUCCEEDED" ? "good" : run.status === "FAILED" ? "bad" : "info"}>
            {t(`status.${run.status}` as Word)}
          </Badge>
        </div>
        {run.error && <Notice tone="bad">{run.error}</Notice>}
        <Timeline
          bars={bars}
          start={details.run.started_at}
          end={over ? (run.endedAt ?? details.run.finished_at) : null}
          chosen={node?.node_id ?? null}
          onChoose={setChosen}
        />
      </section>
      {node && <NodeDetails key={node.node_id} jobId={jobId} node={node} run={run} workflow={ran} />}
      <section className="card run-card run-log">
        <h2>{t("command.log")}</h2>
        <LogView
          lines={run.log}
          dropped={run.dropped}
          nameOf={(id) => details.nodes.find((item) => item.node_id === id)?.name ?? id}
          onNode={setChosen}
        />
      </section>
    </>
  );
}
