import { describe, expect, it, vi } from "vitest";
import type { RunFrame } from "@/engine/frames";
import { followRun } from "./follow";
import { applyFrames, spanText, startRun } from "./run-state";
import { schemaOf, tableOf } from "./schema";
import { barsOf } from "./timeline";

let seq = 0;
const frame = (type: string, fields: object): RunFrame =>
  ({ type, job_id: "j", seq: ++seq, ...fields }) as RunFrame;
const status = (name: string, more = {}) =>
  frame("workflow_status_update", { status_data: { status: name, ...more } });
const metric = (node_id: string, name: string, timestamp: number, more = {}) =>
  frame("NODE_EXECUTION_METRIC", { node_id, status: name, timestamp, module_id: "m", ...more });
const begin = () => {
  seq = 0;
  return startRun("j");
};

describe("a run's state", () => {
  it("comes from its events", () => {
    const run = applyFrames(begin(), [
      status("RUNNING", { start_time: "2026-01-01T00:00:00Z" }),
      metric("a", "RUNNING", 10),
      metric("a", "SUCCESS", 12, { execution_time_ms: 1900 }),
      frame("CONNECTION_STATUS_UPDATE", { connection_id: "ab" }),
      frame("CONNECTION_STATUS_UPDATE", { connection_id: "ab" }),
      frame("log", { level: "INFO", source: "a", message: "hi", timestamp: "" }),
      status("SUCCEEDED", { end_time: "2026-01-01T00:00:05Z" }),
    ]);
    expect(run).toMatchObject({ status: "SUCCEEDED", passed: { ab: 2 }, lastSeq: 7 });
    expect((run.endedAt ?? 0) - (run.startedAt ?? 0)).toBe(5000);
    expect(run.nodes.a).toMatchObject({ status: "SUCCESS", startedAt: 10_000, endedAt: 12_000, ms: 1900 });
    expect(run.log).toHaveLength(1);
  });

  it("takes each event once and only its own", () => {
    const first = metric("a", "RUNNING", 1);
    const run = applyFrames(startRun("j"), [{ ...first, seq: 1 }]);
    expect(applyFrames(run, [{ ...metric("a", "ERROR", 2), seq: 1 }])).toBe(run);
    expect(applyFrames(run, [{ ...metric("a", "ERROR", 2), seq: 2, job_id: "other" }])).toBe(run);
  });

  it("shows a retry as such, and the error of the last attempt", () => {
    let run = applyFrames(begin(), [
      metric("a", "RUNNING", 1),
      metric("a", "ERROR", 2, { error: "no", retry_in_seconds: 5 }),
    ]);
    expect(run.nodes.a).toMatchObject({ status: "RETRYING", error: "no", endedAt: null });
    run = applyFrames(run, [
      metric("a", "RUNNING", 7, { attempt: 2 }),
      metric("a", "ERROR", 8, { attempt: 2, error: "still" }),
    ]);
    expect(run.nodes.a).toMatchObject({ status: "ERROR", error: "still", attempt: 2, startedAt: 1000 });
  });

  it("asks for an approval until the step or the run ended", () => {
    const asked = () =>
      frame("MANUAL_APPROVAL_REQUESTED", { node_id: "a", approval_id: "1", message: "", title: "" });
    const run = applyFrames(begin(), [metric("a", "RUNNING", 1), asked()]);
    expect(run.nodes.a?.status).toBe("WAITING");
    expect(run.approvals).toHaveLength(1);
    expect(applyFrames(run, [metric("a", "SUCCESS", 2)]).approvals).toHaveLength(0);
    seq = 2;
    expect(applyFrames(run, [status("STOPPED")]).approvals).toHaveLength(0);
  });

  it("keeps a bounded log", () => {
    const lines = Array.from({ length: 6000 }, () =>
      frame("log", { level: "INFO", message: "", source: "", timestamp: "" }),
    );
    const run = applyFrames(
      startRun("j"),
      lines.map((line, place) => ({ ...line, seq: place + 1 })),
    );
    expect(run.log).toHaveLength(5000);
    expect(run.dropped).toBe(1000);
  });
});

describe("following", () => {
  it("draws many events at once", () => {
    vi.useFakeTimers();
    let hear: (one: RunFrame) => void = () => undefined;
    const states: number[] = [];
    const engine = {
      follow(_: string, listener: typeof hear) {
        hear = listener;
        return () => undefined;
      },
    };
    const stop = followRun(engine, "j", (run) => states.push(run.lastSeq));
    seq = 0;
    for (let count = 0; count < 50; count++) hear(metric("a", "RUNNING", count));
    expect(states).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(states).toEqual([50]);
    hear(status("SUCCEEDED"));
    stop();
    vi.advanceTimersByTime(100);
    expect(states).toEqual([50]);
    vi.useRealTimers();
  });
});

describe("data", () => {
  it("has a schema whose paths are expressions", () => {
    const paths = schemaOf({ a: 1, "b c": [{ d: "x" }] }).map(({ path, type }) => `${path}: ${type}`);
    expect(paths).toEqual([
      "data: object",
      "data.a: number",
      'data."b c": list (1)',
      'data."b c"[0]: object',
      'data."b c"[0].d: string',
    ]);
  });

  it("becomes a table", () => {
    expect(tableOf([{ a: 1 }, { b: 2 }])).toEqual({
      columns: ["a", "b"],
      rows: [
        [1, undefined],
        [undefined, 2],
      ],
      left: 0,
    });
    expect(tableOf([1, "x"]).rows).toEqual([
      [0, 1],
      [1, "x"],
    ]);
    expect(tableOf({ a: 1 }).rows).toEqual([["a", 1]]);
    expect(tableOf("x").rows).toEqual([["x"]]);
    expect(tableOf(Array.from({ length: 250 }, (_, n) => n)).left).toBe(50);
  });

  it("tells times for people", () => {
    expect([0.4, 950, 3400, 59_000, 62_000, 7_800_000].map(spanText)).toEqual([
      "0 ms",
      "950 ms",
      "3.4 s",
      "59 s",
      "1 min 2 s",
      "2 h 10 min",
    ]);
  });

  it("puts the steps in the order in which they began", () => {
    const state = (node_id: string, started_at: number | null) =>
      ({
        node_id,
        name: node_id,
        module_id: "m",
        status: "PENDING",
        attempts: 1,
        guarantee: "",
        started_at,
      }) as const;
    const run = applyFrames(begin(), [metric("c", "RUNNING", 0.005)]);
    const bars = barsOf([state("a", null), state("b", 10), state("c", null)], run);
    expect(bars.map(({ id, status: name }) => `${id} ${name}`)).toEqual([
      "c RUNNING",
      "b PENDING",
      "a PENDING",
    ]);
  });
});
