import { RotateCw } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useSession } from "@/app/session";
import type { NodeState } from "@/contract/contract.gen";
import { shortAddress } from "@/crypto/address";
import type { Workflow } from "@/features/designer/document/workflow";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { tellError } from "@/ui/toasts";
import { Payloads } from "./payloads";
import { FINAL, type RunState } from "./run-state";
import { useWireData } from "./wire-data";

interface Props {
  jobId: string;
  node: NodeState;
  run: RunState | null;
  workflow: Workflow | null;
}

/** One step of a run: what came in, what went out, what went wrong, who answered. */
export function NodeDetails({ jobId, node, run, workflow }: Props) {
  const t = useT();
  const error = run?.nodes[node.node_id]?.error ?? node.error;
  const over = FINAL.has(run?.status ?? "RUNNING");
  const answer = node.answered_by;
  const wires = workflow?.connections ?? [];
  return (
    <section className="card run-card" aria-label={node.name}>
      <div className="spread">
        <h2>{node.name}</h2>
        {over && <AgainFrom jobId={jobId} nodeId={node.node_id} />}
      </div>
      <p className="field-hint">
        {node.module_id} · {node.guarantee}
      </p>
      {node.pinned && <p className="field-hint">{t("run.pinned")}</p>}
      {node.seeded_from && <p className="field-hint">{t("run.seeded")}</p>}
      {error && <Notice tone="bad">{error}</Notice>}
      {answer && (
        <Notice tone={answer.approved ? "good" : "warn"}>
          {t(answer.approved ? "run.approvedBy" : "run.rejectedBy", { who: shortAddress(answer.address) })}
          {answer.comment && ` “${answer.comment}”`}
        </Notice>
      )}
      {!workflow && <p className="field-hint">{t("run.noWorkflow")}</p>}
      <div className="run-data">
        {wires
          .filter((wire) => wire.target === node.node_id)
          .map((wire) => (
            <WireBox key={wire.id} jobId={jobId} wireId={wire.id} run={run} title={t("panel.input")} />
          ))}
        {wires
          .filter((wire) => wire.source === node.node_id)
          .map((wire) => (
            <WireBox
              key={wire.id}
              jobId={jobId}
              wireId={wire.id}
              run={run}
              title={`${t("panel.output")} ${wire.source_port_name ?? ""}`}
            />
          ))}
      </div>
    </section>
  );
}

/** Do this step and all that comes after it again, as a new run; the steps before keep their results. */
function AgainFrom({ jobId, nodeId }: { jobId: string; nodeId: string }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  async function start() {
    setBusy(true);
    try {
      const started = await engine?.request("rerun", { job_id: jobId, from_node_id: nodeId });
      if (started) go(`/runs/${started.job_id}`);
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Button size="small" busy={busy} onClick={() => void start()}>
      {!busy && <RotateCw size={14} aria-hidden="true" />}
      {t("run.againFrom")}
    </Button>
  );
}

function WireBox({
  jobId,
  wireId,
  run,
  title,
}: {
  jobId: string;
  wireId: string;
  run: RunState | null;
  title: string;
}) {
  const data = useWireData(jobId, wireId, run?.passed[wireId] ?? 0);
  return (
    <div>
      <h3>{title}</h3>
      <Payloads data={data} />
    </div>
  );
}
