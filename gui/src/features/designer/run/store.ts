/** The run that the canvas shows: started here, or taken up again after a reload. */

import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { RunMode } from "@/contract/contract.gen";
import { followRun } from "@/features/run/follow";
import { FINAL, type RunState } from "@/features/run/run-state";
import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { useDocument, workflowNow } from "../document/store";
import type { Workflow } from "../document/workflow";
import { noteProblems } from "./problems";

interface RunStore {
  run: RunState | null;
  jobId: string | null;
  /** The workflow as it was when the run started; nodes changed since then show it. */
  ran: Workflow | null;
  busy: boolean;
  /** Popups and approvals that the person has put away. */
  closed: ReadonlySet<string>;
  /** Whether popups are news: not for a run of the past. */
  live: boolean;
  start(mode: RunMode, startNodeId?: string): Promise<void>;
  attach(jobId: string, ran?: Workflow): void;
  detach(): void;
  steer(command: "pause_workflow" | "resume_workflow" | "stop_workflow"): Promise<void>;
  close(key: string): void;
  /** Ask again what was put away unanswered. */
  reopen(): void;
}

let stopFollowing: (() => void) | null = null;

export const useRun = create<RunStore>((set, get) => ({
  run: null,
  jobId: null,
  ran: null,
  busy: false,
  closed: new Set(),
  live: false,

  async start(mode, startNodeId) {
    const engine = engineNow();
    if (get().busy) return;
    if (isActive(get().run, get().jobId)) {
      tell(t("designer.runs"));
      return;
    }
    const workflow = workflowNow();
    const { preset } = useDocument.getState();
    const jobId = crypto.randomUUID();
    // The run's name is known before it starts: a reload in between finds it too.
    get().detach();
    set({ busy: true, jobId });
    try {
      await engine.request("execute_workflow", {
        job_id: jobId,
        workflow_data: workflow,
        preset_name: preset ?? null,
        mode,
        ...(startNodeId ? { start_node_id: startNodeId } : {}),
      });
      noteProblems([]);
      get().attach(jobId, workflow);
      set({ live: true });
    } catch (error) {
      if (error instanceof FloworkError && error.code === "INVALID_WORKFLOW") noteProblems(error.details);
      get().detach();
      tellError(error);
    } finally {
      set({ busy: false });
    }
  },

  attach(jobId, ran) {
    get().detach();
    set({ jobId, ran: ran ?? null, closed: readClosed(jobId), live: false });
    stopFollowing = followRun(engineNow(), jobId, (run) => {
      if (get().jobId !== jobId) return;
      // The first events of a run that was taken up again may be its last: then it is a run of the past.
      set({ run, live: get().live || !FINAL.has(run.status) });
    });
    engineNow()
      .request("get_run", { job_id: jobId })
      .catch((error: unknown) => {
        // A run that never began, or that is no longer kept.
        const gone = error instanceof FloworkError && error.code === "NOT_FOUND";
        if (gone && get().jobId === jobId) get().detach();
      });
  },

  detach() {
    stopFollowing?.();
    stopFollowing = null;
    set({ run: null, jobId: null, ran: null });
  },

  async steer(command) {
    const { jobId } = get();
    if (!jobId) return;
    set({ busy: true });
    try {
      await engineNow().request(command, { job_id: jobId });
    } catch (error) {
      tellError(error);
    } finally {
      set({ busy: false });
    }
  },

  close(key) {
    const { jobId } = get();
    const closed = new Set([...get().closed, key]);
    set({ closed });
    if (jobId) sessionStorage.setItem(CLOSED, JSON.stringify({ jobId, keys: [...closed] }));
  },
  reopen: () => set({ closed: new Set([...get().closed].filter((key) => !key.startsWith("approval "))) }),
}));

const CLOSED = "flowork.designer.closed";

/** What was put away of this run before a reload. */
function readClosed(jobId: string): Set<string> {
  try {
    const found = JSON.parse(sessionStorage.getItem(CLOSED) ?? "{}") as { jobId?: string; keys?: string[] };
    return new Set(found.jobId === jobId ? found.keys : []);
  } catch {
    return new Set();
  }
}

function engineNow() {
  const { engine } = useSession.getState();
  if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", "Choose an engine first.");
  return engine;
}

export const isActive = (run: RunState | null, jobId: string | null): boolean =>
  jobId !== null && (run === null || !FINAL.has(run.status));
