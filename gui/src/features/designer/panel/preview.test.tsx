// @vitest-environment jsdom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { ExpressionPreview } from "@/contract/contract.gen";
import type { EngineClient } from "@/engine/client";
import type { Signer } from "@/wallet/signer";
import { useAids } from "../debug/aids";
import { useDocument } from "../document/store";
import { readWorkflow } from "../document/workflow";
import { useRun } from "../run/store";
import { Preview } from "./preview";
import { isAsked, readingOf, wishOf } from "./preview-wish";

const step = (id: string, name: string) => ({ id, name, module_id: "m", config_values: {} });
const wire = (source: string, target: string, port: string | null = "success") => ({
  id: `${source}${target}`,
  source,
  target,
  source_port_name: port,
});
const WORKFLOW = readWorkflow({
  nodes: [step("id-a", "First"), step("id-b", "Second"), step("id-c", "Third")],
  connections: [wire("id-a", "id-b"), wire("id-b", "id-c", null)],
});
const pin = (city: string) => ({ outputs: { success: { data: { city } } }, stored: false });
const answer = (part: Partial<ExpressionPreview>): ExpressionPreview =>
  ({ type: "expression_preview_response", kind: "value", has_input: true, ...part }) as ExpressionPreview;

describe("what is asked", () => {
  it.each([
    ["{{ data.x }}", true],
    ["a {{ data.x }} b", true],
    ["{% if data.x %}1{% endif %}", true],
    ["{{  }}", false],
    ["{{ data.x", false],
    ["plain", false],
    [7, false],
    [`{{ data.x }}${"x".repeat(20_000)}`, false],
  ])("%o: %s", (value, expected) => {
    expect(isAsked(value)).toBe(expected);
  });

  it("is told with the wires as they are drawn, and with the pins that it can see", () => {
    const pins = { "id-a": pin("Medan"), "id-b": pin("Padang"), "id-c": pin("Solo") };
    const asked = { text: "{{ data.x }}", field: "f", jobId: "r" };
    const wish = wishOf(WORKFLOW, "id-c", asked, pins);
    expect(wish).toMatchObject({ node_id: "id-c", module_id: "m", field: "f", job_id: "r" });
    expect(wish.inputs).toEqual([{ node_id: "id-b", port: null }]);
    expect(wish.results?.map(({ node_id }) => node_id)).toEqual(["id-b"]);
    const named = wishOf(WORKFLOW, "id-c", { ...asked, text: "{{ nodes.First.data }}", jobId: null }, pins);
    expect(named.results?.map(({ node_id }) => node_id).toSorted()).toEqual(["id-a", "id-b"]);
    expect(named).not.toHaveProperty("job_id");
    const large = { "id-b": pin("x".repeat(300_000)) };
    expect(wishOf(WORKFLOW, "id-c", asked, large).results).toEqual([]);
  });
});

describe("an answer", () => {
  it.each([
    [{ result: "Medan" }, { tone: "value", text: "Medan" }],
    [{ result: { a: [1] } }, { tone: "value", text: '{"a":[1]}' }],
    [{ result: 0 }, { tone: "value", text: "0" }],
    [{ result: null }, { tone: "nothing" }],
    [
      { result: "", has_input: false },
      { tone: "empty", noData: true },
    ],
    [{ problem: "It is not valid." }, { tone: "problem", text: "It is not valid." }],
    [{ kind: "statement" as const }, { tone: "hint", word: "later" }],
    [
      { kind: "text" as const, result: "{{ x }}" },
      { tone: "hint", word: "asWritten" },
    ],
  ])("%o reads %o", (part, reading) => {
    expect(readingOf(answer(part))).toMatchObject(reading);
  });

  it("says nothing of what is the component's own", () => {
    expect(readingOf(answer({ kind: "own" }))).toBeNull();
  });
});

describe("below a field", () => {
  const asked: [string, Record<string, unknown>][] = [];
  let reply: () => Promise<unknown>;
  const engine = {
    engineId: "e",
    request(name: string, fields: Record<string, unknown>) {
      asked.push([name, fields]);
      return name === "list_runs" ? Promise.resolve({ runs: [{ job_id: "newest" }] }) : reply();
    },
  } as unknown as EngineClient;
  const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  const texts = () => asked.filter(([name]) => name === "preview_expression").map(([, { text }]) => text);

  beforeEach(() => {
    vi.useFakeTimers();
    asked.length = 0;
    reply = () => Promise.resolve(answer({ result: "Bandung" }));
    useSession.setState({ engine, engineId: "e", way: "direct", visitor: null, signer: null });
    useRun.setState({ jobId: "r", run: null });
    useAids.setState({ pins: {}, breakpoints: new Set() });
    useDocument.getState().load(WORKFLOW, { preset: null, version: null });
    useDocument.getState().openNode("id-b");
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
    useSession.setState({ engine: null, engineId: null, way: null, signer: null });
    useRun.setState({ jobId: null });
  });

  it("stands what it gives, asked once a moment after the last change", async () => {
    const { rerender } = render(<Preview field="f" value="{{ data.c }}" />);
    for (const text of ["{{ data.ci }}", "{{ data.cit }}", "{{ data.city }}"]) {
      await later(100);
      rerender(<Preview field="f" value={text} />);
    }
    expect(texts()).toEqual([]);
    await later(500);
    expect(texts()).toEqual(["{{ data.city }}"]);
    expect(asked[0]?.[1]).toMatchObject({ job_id: "r", node_id: "id-b", field: "f" });
    expect(screen.getByRole("status").textContent).toContain("Gives Bandung");
    rerender(<Preview field="f" value="plain" />);
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("stands what is wrong, in words", async () => {
    reply = () => Promise.resolve(answer({ problem: "The expression is not valid.", has_input: false }));
    const { rerender } = render(<Preview field="f" value="{{ data.[ }}" />);
    await later(500);
    expect(screen.getByRole("status").textContent).toBe("The expression is not valid.");
    reply = () => Promise.reject(new FloworkError("RATE_LIMITED", "Slower."));
    rerender(<Preview field="f" value="{{ data.x }}" />);
    await later(500);
    expect(screen.getByRole("status").textContent).toContain("Slower.");
    reply = () => Promise.reject(new FloworkError("UNKNOWN_COMMAND", "There is no command."));
    rerender(<Preview field="f" value="{{ data.y }}" />);
    await later(500);
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("is worked out with the newest run of the preset where the canvas shows none, asked once", async () => {
    useRun.setState({ jobId: null });
    useDocument.getState().load(WORKFLOW, { preset: "Report", version: 1 });
    useDocument.getState().openNode("id-b");
    render(
      <>
        <Preview field="f" value="{{ data.x }}" />
        <Preview field="g" value="{{ data.y }}" />
      </>,
    );
    await later(500);
    expect(asked.filter(([name]) => name === "list_runs")).toEqual([
      ["list_runs", { preset_name: "Report", limit: 1 }],
    ]);
    const wishes = asked.filter(([name]) => name === "preview_expression");
    expect(wishes.map(([, fields]) => fields.job_id)).toEqual(["newest", "newest"]);
  });

  it("is asked again when a result is pinned", async () => {
    render(<Preview field="f" value="{{ data.x }}" />);
    await later(500);
    act(() => useAids.setState({ pins: { "id-a": pin("Medan") } }));
    await later(500);
    expect(texts()).toHaveLength(2);
    expect(asked.at(-1)?.[1].results).toMatchObject([{ node_id: "id-a", name: "First" }]);
  });

  it("nothing is asked where there is no engine, for a visitor, or by a wallet that asks each time", async () => {
    const asks = { address: "0x", asks: true } as Signer;
    for (const change of [{ way: null }, { visitor: asks }, { signer: asks }]) {
      useSession.setState({ way: "direct", visitor: null, signer: null, ...change });
      render(<Preview field="f" value="{{ data.x }}" />);
      await later(1000);
      cleanup();
    }
    expect(asked).toEqual([]);
  });
});
