// @vitest-environment jsdom
import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { EngineClient } from "@/engine/client";
import { useWireData } from "./wire-data";

/** An engine whose answers come when the test says so. */
class SlowEngine {
  readonly asked: { jobId: string; answer(data: unknown): void; refuse(error: Error): void }[] = [];
  request(_: string, { job_id: jobId }: { job_id: string }) {
    return new Promise((resolve, reject) => {
      const answer = (data: unknown) => resolve({ history: [{ data }] });
      this.asked.push({ jobId, answer, refuse: reject });
    });
  }
}

function watch() {
  const engine = new SlowEngine();
  useSession.setState({ engine: engine as unknown as EngineClient });
  const shown = renderHook(({ job, count }) => useWireData(job, "wire", count), {
    initialProps: { job: "first", count: 1 },
  });
  return { engine, shown };
}

afterEach(() => {
  cleanup();
  useSession.setState({ engine: null });
});

it("the data of the run before is never shown for the one that follows", async () => {
  const { engine, shown } = watch();
  await act(async () => engine.asked[0]?.answer("Medan"));
  expect(shown.result.current.payloads).toEqual([{ data: "Medan" }]);
  shown.rerender({ job: "second", count: 0 });
  expect(shown.result.current.payloads).toBeNull();
  await act(async () => engine.asked[1]?.answer("Padang"));
  expect(shown.result.current.payloads).toEqual([{ data: "Padang" }]);
});

it("while more of the same run is asked for, what is known stays", async () => {
  const { engine, shown } = watch();
  await act(async () => engine.asked[0]?.answer("one"));
  shown.rerender({ job: "first", count: 2 });
  expect(shown.result.current.payloads).toEqual([{ data: "one" }]);
});

it("a run that is only being started has no data, and that is no problem", async () => {
  const { engine, shown } = watch();
  shown.rerender({ job: "second", count: 0 });
  await act(async () => engine.asked[1]?.refuse(new FloworkError("NOT_FOUND", "There is no such run.")));
  expect(shown.result.current).toEqual({ payloads: [], problem: null });
  shown.rerender({ job: "second", count: 1 });
  await act(async () => engine.asked[2]?.refuse(new FloworkError("NOT_FOUND", "There is no such run.")));
  expect(shown.result.current.problem).toContain("There is no such run.");
});
