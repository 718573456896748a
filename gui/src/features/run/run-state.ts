/** How a run stands, derived from its events alone: the same events always give the same picture. */

import type {
  BreakpointHit,
  DebugPopup,
  LogEvent,
  ManualApprovalRequested,
  NodeStatus,
  RunStatus,
} from "@/contract/contract.gen";
import { isFrameOf, type RunFrame } from "@/engine/frames";

export interface NodeRun {
  status: NodeStatus;
  /** Unix milliseconds of the latest attempt. */
  startedAt: number | null;
  endedAt: number | null;
  /** The time the component itself took. */
  ms: number | null;
  attempt: number;
  error: string | null;
}

export interface RunState {
  jobId: string;
  status: RunStatus;
  startedAt: number | null;
  endedAt: number | null;
  error: string | null;
  nodes: Readonly<Record<string, NodeRun>>;
  /** How many payloads went along each connection. */
  passed: Readonly<Record<string, number>>;
  log: readonly LogEvent[];
  /** How many of the oldest log lines are no longer kept. */
  dropped: number;
  popups: readonly DebugPopup[];
  approvals: readonly ManualApprovalRequested[];
  /** The connections at which data waits at a breakpoint, as far as the events tell. */
  held: Readonly<Record<string, BreakpointHit>>;
  lastSeq: number;
}

const MOST_LINES = 5000;
const MOST_POPUPS = 50;

export const FINAL: ReadonlySet<RunStatus> = new Set<RunStatus>(["SUCCEEDED", "FAILED", "STOPPED"]);

export const startRun = (jobId: string): RunState => ({
  jobId,
  status: "RUNNING",
  startedAt: null,
  endedAt: null,
  error: null,
  nodes: {},
  passed: {},
  log: [],
  dropped: 0,
  popups: [],
  approvals: [],
  held: {},
  lastSeq: 0,
});

/** Take in frames, in their order; those that were seen before are passed over. */
export function applyFrames(state: RunState, frames: readonly RunFrame[]): RunState {
  const fresh = frames.filter((frame) => frame.job_id === state.jobId && frame.seq > state.lastSeq);
  if (fresh.length === 0) return state;
  const next: Draft = {
    ...state,
    nodes: { ...state.nodes },
    passed: { ...state.passed },
    log: [...state.log],
    popups: [...state.popups],
    approvals: [...state.approvals],
    held: { ...state.held },
  };
  for (const frame of fresh) {
    if (frame.seq <= next.lastSeq) continue;
    take(next, frame);
    next.lastSeq = frame.seq;
  }
  const over = next.log.length - MOST_LINES;
  if (over > 0) {
    next.log.splice(0, over);
    next.dropped += over;
  }
  next.popups.splice(0, next.popups.length - MOST_POPUPS);
  return next;
}

interface Draft extends RunState {
  nodes: Record<string, NodeRun>;
  passed: Record<string, number>;
  log: LogEvent[];
  popups: DebugPopup[];
  approvals: ManualApprovalRequested[];
  held: Record<string, BreakpointHit>;
}

const when = (text: string | null | undefined): number | null => (text ? Date.parse(text) : null);

function take(run: Draft, frame: RunFrame): void {
  if (isFrameOf(frame, "workflow_status_update")) {
    const { status, start_time, end_time, error_message } = frame.status_data;
    run.status = status;
    run.startedAt ??= when(start_time);
    run.endedAt = when(end_time) ?? run.endedAt;
    run.error = error_message ?? run.error;
    if (FINAL.has(status)) {
      run.approvals.splice(0);
      run.held = {};
    }
  } else if (isFrameOf(frame, "NODE_EXECUTION_METRIC")) {
    takeMetric(run, frame);
  } else if (isFrameOf(frame, "CONNECTION_STATUS_UPDATE")) {
    run.passed[frame.connection_id] = (run.passed[frame.connection_id] ?? 0) + 1;
  } else if (isFrameOf(frame, "BREAKPOINT_HIT")) {
    run.held[frame.connection_id] = frame;
  } else if (isFrameOf(frame, "log")) {
    run.log.push(frame);
  } else if (isFrameOf(frame, "SHOW_DEBUG_POPUP")) {
    run.popups.push(frame);
  } else if (isFrameOf(frame, "MANUAL_APPROVAL_REQUESTED")) {
    run.approvals.push(frame);
    const node = run.nodes[frame.node_id];
    if (node) run.nodes[frame.node_id] = { ...node, status: "WAITING" };
  }
}

function takeMetric(
  run: Draft,
  metric: RunFrame & { node_id: string; status: string; timestamp: number },
): void {
  const {
    node_id: id,
    attempt,
    execution_time_ms,
    error,
    retry_in_seconds,
  } = metric as typeof metric & {
    attempt?: number;
    execution_time_ms?: number | null;
    error?: string | null;
    retry_in_seconds?: number | null;
  };
  const at = metric.timestamp * 1000;
  const before = run.nodes[id];
  if (metric.status === "RUNNING") {
    const startedAt = before?.startedAt ?? at;
    for (const hit of Object.values(run.held))
      if (hit.target_node_id === id) delete run.held[hit.connection_id];
    run.nodes[id] = {
      status: "RUNNING",
      startedAt,
      endedAt: null,
      ms: null,
      attempt: attempt ?? 1,
      error: null,
    };
    return;
  }
  const again = typeof retry_in_seconds === "number";
  run.nodes[id] = {
    status: again ? "RETRYING" : metric.status === "SUCCESS" ? "SUCCESS" : "ERROR",
    startedAt: before?.startedAt ?? (execution_time_ms ? at - execution_time_ms : at),
    endedAt: again ? null : at,
    ms: execution_time_ms ?? null,
    attempt: attempt ?? before?.attempt ?? 1,
    error: error ?? null,
  };
  run.approvals = run.approvals.filter((asked) => asked.node_id !== id);
}

/** A time span for people: 12 ms, 3.4 s, 5 min 2 s, 2 h 10 min. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
