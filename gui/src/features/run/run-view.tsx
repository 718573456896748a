import { Pause, PencilRuler, Play, RotateCw, Square } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { Link, useLocation } from "wouter";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { NodeState, RunDetails, RunSummary } from "@/contract/contract.gen";
import { useT, type Word } from "@/i18n/words";
import { Badge, Notice, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { tellError } from "@/ui/toasts";
import { ApprovalCard } from "./approval-card";
import { followRun } from "./follow";
import { LogView } from "./log-view";
import { NodeDetails } from "./node-details";
import { FINAL, type RunState, spanText } from "./run-state";
import { useRunWorkflow } from "./run-workflow";
import { barsOf, Timeline } from "./timeline";
import "./run-view.css";

const TONES: Record<string, Tone> = { SUCCEEDED: "good", FAILED: "bad", STOPPED: "warn", PAUSED: "warn" };
const icon = { size: 16, "aria-hidden": true } as const;

/** One run: how it went, step by step; live while it goes on. */
export default function RunView({ params }: { params: { jobId: string } }) {
  const t = useT();
  const { details, run, problem, reload } = useRunData(params.jobId);
  const [chosen, setChosen] = useState<string | null>(null);
  const workflow = useRunWorkflow(details);
  if (problem) {
    return (
      <div className="page">
        <h1>{t("run.title")}</h1>
        <Notice tone="bad">
          <span className="grow">{problem}</span>
          <Button size="small" onClick={reload}>
            {t("common.again")}
          </Button>
        </Notice>
      </div>
    );
  }
  if (!details) return <output className="spinner" aria-label={t("designer.loading")} />;
  const { run: summary, nodes } = details;
  const status = run?.status ?? summary.status;
  const end = FINAL.has(status) ? (run?.endedAt ?? summary.finished_at) : null;
  const error = run?.error ?? summary.error_message;
  const bars = barsOf(nodes, run);
  const node = nodes.find((item) => item.node_id === (chosen ?? firstFailed(bars) ?? bars[0]?.id));
  return (
    <div className="page run-view">
      <header className="spread">
        <div>
          <h1>{summary.preset_name ?? t("designer.untitled")}</h1>
          <p className="field-hint run-facts">
            <span data-testid="run-status">
              <Badge tone={TONES[status] ?? "info"}>{t(`status.${status}` as Word)}</Badge>
            </span>
            <span>{new Date(summary.started_at).toLocaleString()}</span>
            {end && <span>{spanText(end - summary.started_at)}</span>}
            {summary.mode === "SIMULATE" && <span>{t("command.simulate")}</span>}
            <span>
              {t("run.version")} <code>{summary.workflow_hash.slice(0, 12)}</code>
            </span>
          </p>
        </div>
        <Actions summary={summary} status={status} onChange={reload} />
      </header>
      {summary.parent_job_id && <Link href={`/runs/${summary.parent_job_id}`}>{t("run.parent")}</Link>}
      {error && <Notice tone="bad">{error}</Notice>}
      {!FINAL.has(status) && <Waiting run={run} nodes={nodes} jobId={params.jobId} onDone={reload} />}
      <section className="card run-card">
        <Timeline
          bars={bars}
          start={summary.started_at}
          end={end}
          chosen={node?.node_id ?? null}
          onChoose={setChosen}
        />
      </section>
      {node && (
        <NodeDetails key={node.node_id} jobId={params.jobId} node={node} run={run} workflow={workflow} />
      )}
      <Children jobId={params.jobId} />
      <section className="card run-card run-log">
        <h2>{t("command.log")}</h2>
        <LogView
          lines={run?.log ?? []}
          dropped={run?.dropped ?? 0}
          nameOf={(id) => nodes.find((item) => item.node_id === id)?.name ?? id}
          onNode={setChosen}
        />
      </section>
    </div>
  );
}

const firstFailed = (bars: { id: string; status: string }[]) =>
  bars.find((bar) => bar.status === "ERROR")?.id;

function useRunData(jobId: string) {
  const engine = useSession((state) => state.engine);
  const [details, setDetails] = useState<RunDetails | null>(null);
  const [run, setRun] = useState<RunState | null>(null);
  const [problem, setProblem] = useState("");
  const reload = useCallback(() => {
    engine?.request("get_run", { job_id: jobId }).then(
      (found) => {
        setDetails(found);
        setProblem("");
      },
      (error: unknown) => setProblem(sentenceOf(error)),
    );
  }, [engine, jobId]);
  useEffect(() => {
    setDetails(null);
    setRun(null);
    return engine ? followRun(engine, jobId, setRun) : undefined;
  }, [engine, jobId]);
  // What the events do not tell (who answered, skipped steps) is asked for when something decisive happened.
  const decisive = `${run?.status} ${run?.approvals.length}`;
  // Asked again after decisive events.
  useEffect(reload, [reload, decisive]);
  return { details, run, problem, reload };
}

function Actions({ summary, status, onChange }: { summary: RunSummary; status: string; onChange(): void }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);
  const job = { job_id: summary.job_id };
  async function act(action: () => Promise<unknown> | undefined) {
    setBusy(true);
    try {
      await action();
      onChange();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(false);
    }
  }
  const paused = status === "PAUSED";
  const preset = summary.preset_name;
  const target = preset ? `/designer/${encodeURIComponent(preset)}` : "/designer";
  return (
    <div className="row">
      {status === "RUNNING" && (
        <Button disabled={busy} onClick={() => void act(() => engine?.request("pause_workflow", job))}>
          <Pause {...icon} />
          {t("command.pause")}
        </Button>
      )}
      {paused && (
        <Button disabled={busy} onClick={() => void act(() => engine?.request("resume_workflow", job))}>
          <Play {...icon} />
          {t("command.resume")}
        </Button>
      )}
      {(status === "RUNNING" || paused) && (
        <Button
          kind="danger"
          disabled={busy}
          onClick={() => void act(() => engine?.request("stop_workflow", job))}
        >
          <Square {...icon} />
          {t("command.stop")}
        </Button>
      )}
      {status !== "RUNNING" && !paused && (
        <Button
          disabled={busy}
          onClick={() =>
            void act(async () => {
              const started = await engine?.request("rerun", job);
              if (started) go(`/runs/${started.job_id}`);
            })
          }
        >
          <RotateCw {...icon} />
          {t("run.again")}
        </Button>
      )}
      <Link className="button" href={`${target}?run=${encodeURIComponent(summary.job_id)}`}>
        <PencilRuler {...icon} />
        {t("run.inDesigner")}
      </Link>
    </div>
  );
}

function Waiting({
  run,
  nodes,
  jobId,
  onDone,
}: {
  run: RunState | null;
  nodes: NodeState[];
  jobId: string;
  onDone(): void;
}) {
  const listed = nodes.filter((node) => node.status === "WAITING" && node.waiting?.signal === "approval");
  const asked = run?.approvals.length
    ? run.approvals
    : run
      ? []
      : listed.map((node) => ({
          job_id: jobId,
          node_id: node.node_id,
          approval_id: node.waiting?.id ?? "",
          title: node.waiting?.title ?? node.name,
          message: node.waiting?.message ?? "",
        }));
  return (
    <>
      {asked.map((item) => (
        <section key={item.approval_id} className="card run-card run-approval" aria-label={item.title}>
          <h2>{item.title}</h2>
          <ApprovalCard asked={item} onDone={onDone} />
        </section>
      ))}
    </>
  );
}

/** The runs that this one started: the items of a loop, other workflows. */
function Children({ jobId }: { jobId: string }) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [runs, setRuns] = useState<RunSummary[]>([]);
  useEffect(() => {
    let left = false;
    engine?.request("list_runs", { parent_job_id: jobId, limit: 200 }).then(
      (found) => !left && setRuns(found.runs),
      () => undefined, // The run itself is shown all the same.
    );
    return () => {
      left = true;
    };
  }, [engine, jobId]);
  if (runs.length === 0) return null;
  return (
    <section className="card run-card">
      <h2>{t("run.children", { count: runs.length })}</h2>
      <ul className="run-children">
        {runs.map((child) => (
          <li key={child.job_id}>
            <Link href={`/runs/${child.job_id}`}>
              {child.preset_name ?? t("designer.untitled")}
              {child.item !== null && child.item !== undefined && ` #${child.item + 1}`}
            </Link>
            <Badge tone={TONES[child.status] ?? "info"}>{t(`status.${child.status}` as Word)}</Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}
