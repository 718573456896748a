/** The run that the canvas shows: started here, or taken up again after a reload. */

import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { RunMode } from "@/contract/contract.gen";
import { followRun } from "@/features/run/follow";
import { FINAL, type RunState } from "@/features/run/run-state";
import { tellError } from "@/ui/toasts";
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
  start(mode: RunMode, startNodeId?: string): Promise<void>;
  attach(jobId: string, ran?: Workflow): void;
  detach(): void;
  steer(command: "pause_workflow" | "resume_workflow" | "stop_workflow"): Promise<void>;
  close(key: string): void;
}

let stopFollowing: (() => void) | null = null;

export const useRun = create<RunStore>((set, get) => ({
  run: null,
  jobId: null,
  ran: null,
  busy: false,
  closed: new Set(),

  async start(mode, startNodeId) {
    const engine = engineNow();
    if (get().busy) return;
    const workflow = workflowNow();
    const { preset } = useDocument.getState();
    const jobId = crypto.randomUUID();
    set({ busy: true });
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
    } catch (error) {
      if (error instanceof FloworkError && error.code === "INVALID_WORKFLOW") noteProblems(error.details);
      tellError(error);
    } finally {
      set({ busy: false });
    }
  },

  attach(jobId, ran) {
    get().detach();
    set({ jobId, ran: ran ?? null, closed: new Set() });
    stopFollowing = followRun(engineNow(), jobId, (run) => {
      if (get().jobId === jobId) set({ run });
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

  close: (key) => set({ closed: new Set([...get().closed, key]) }),
}));

function engineNow() {
  const { engine } = useSession.getState();
  if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", "Choose an engine first.");
  return engine;
}

export const isActive = (run: RunState | null, jobId: string | null): boolean =>
  jobId !== null && (run === null || !FINAL.has(run.status));
