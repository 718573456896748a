/** The run that the canvas shows: started here, or taken up again after a reload. */

import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { BreakpointHit, RunDetails, RunMode } from "@/contract/contract.gen";
import { followRun } from "@/features/run/follow";
import { FINAL, type RunState } from "@/features/run/run-state";
import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { aidsForStart } from "../debug/aids";
import { useDocument, workflowNow } from "../document/store";
import type { Workflow } from "../document/workflow";
import { save } from "../save/save";
import { noteProblems } from "./problems";

interface Checked {
  lastSeq: number;
  held: ReadonlySet<string>;
}

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
  /** What the engine said last of the connections at which data waits, and up to which event that holds. */
  checked: Checked | null;
  start(mode: RunMode, startNodeId?: string): Promise<void>;
  attach(jobId: string, ran?: Workflow): void;
  detach(): void;
  steer(command: "pause_workflow" | "resume_workflow" | "stop_workflow"): Promise<void>;
  /** Let data go on that waits at breakpoints: along one connection, along all, or to the next ones. */
  letGo(how: "continue" | "step", wireId?: string): Promise<void>;
  /** Change where data of a run that goes on stops. */
  stopAt(wireIds: string[]): Promise<void>;
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
  checked: null,

  async start(mode, startNodeId) {
    const engine = engineNow();
    if (get().busy) return;
    if (isActive(get().run, get().jobId)) {
      tell(t("designer.runs"));
      return;
    }
    // a visitor of a share link may run what is saved, and nothing else
    const visits = useSession.getState().visitor !== null;
    const { history, saved } = useDocument.getState();
    if (visits && history.present !== saved && !(await save())) return;
    const workflow = workflowNow();
    const { preset } = useDocument.getState();
    const jobId = crypto.randomUUID();
    // The run's name is known before it starts: a reload in between finds it too.
    get().detach();
    set({ busy: true, jobId });
    try {
      await engine.request("execute_workflow", {
        job_id: jobId,
        ...(visits ? {} : { workflow_data: workflow }),
        preset_name: preset ?? null,
        mode,
        ...(startNodeId ? { start_node_id: startNodeId } : {}),
        ...(visits ? {} : aidsForStart()),
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
      .then((details) => get().jobId === jobId && set({ checked: checkedBy(details) }))
      .catch((error: unknown) => {
        // A run that never began, or that is no longer kept.
        const gone = error instanceof FloworkError && error.code === "NOT_FOUND";
        if (gone && get().jobId === jobId) get().detach();
      });
  },

  detach() {
    stopFollowing?.();
    stopFollowing = null;
    set({ run: null, jobId: null, ran: null, checked: null });
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

  async letGo(how, wireId) {
    const { jobId } = get();
    if (!jobId) return;
    try {
      const along = wireId ? { connection_id: wireId } : {};
      const details =
        how === "step"
          ? await engineNow().request("step_run", { job_id: jobId })
          : await engineNow().request("continue_run", { job_id: jobId, ...along });
      if (get().jobId === jobId) set({ checked: checkedBy(details) });
    } catch (error) {
      tellError(error);
    }
  },

  async stopAt(wireIds) {
    const { jobId, run } = get();
    if (!jobId || !isActive(run, jobId)) return;
    const there = new Set(get().ran?.connections.map(({ id }) => id) ?? wireIds);
    try {
      const connections = wireIds.filter((id) => there.has(id));
      await engineNow().request("set_breakpoints", { job_id: jobId, connections });
    } catch (error) {
      tellError(error);
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

const checkedBy = ({ last_seq, at_breakpoints = [] }: RunDetails): Checked => ({
  lastSeq: last_seq,
  held: new Set(at_breakpoints.map((item) => item.connection_id)),
});

/** The data that waits at breakpoints now. */
export function heldIn({ run, checked }: Pick<RunStore, "run" | "checked">): BreakpointHit[] {
  return Object.values(run?.held ?? {}).filter(
    (hit) => !checked || hit.seq > checked.lastSeq || checked.held.has(hit.connection_id),
  );
}

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
