// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useSession } from "@/app/session";
import type { EngineClient } from "@/engine/client";
import type { Frame } from "@/engine/frames";
import { useToasts } from "@/ui/toasts";
import { useDocument } from "../document/store";
import { readWorkflow, type Workflow, type WorkflowNode } from "../document/workflow";
import { settle, useSave } from "../save/save";
import { noteClashes, useCompany } from "./company";
import { initialsOf } from "./people";
import { catchUp, keepCompany } from "./watch";

const workflow = (name: string, config = {}): Workflow =>
  readWorkflow({ nodes: [{ id: "a", name, module_id: "m", config_values: config }], connections: [] });

/** Stands in for the engine: it keeps one preset, and what it was asked. */
class FakeEngine {
  version = 1;
  newest = workflow("one");
  readonly asked: { name: string; fields: Record<string, unknown> }[] = [];
  tell: (frame: Frame) => void = () => {};

  request(name: string, fields: Record<string, unknown>): Promise<unknown> {
    this.asked.push({ name, fields });
    if (name === "load_preset") {
      return Promise.resolve({ name: "Report", version: this.version, workflow_data: this.newest });
    }
    return Promise.resolve({ preset: "Report", you: "me", people: [], more: 0, version: this.version });
  }

  listen(listener: (frame: Frame) => void): () => void {
    this.tell = listener;
    return () => {
      this.tell = () => {};
    };
  }

  save(next: Workflow): void {
    this.version++;
    this.newest = next;
  }
}

let engine: FakeEngine;
const nameNow = () => useDocument.getState().history.present.nodes[0]?.name;
const seated = () => engine.asked.filter(({ name }) => name === "watch_preset").map(({ fields }) => fields);
const texts = () => useToasts.getState().toasts.map(({ text }) => text);

beforeEach(() => {
  vi.useFakeTimers();
  engine = new FakeEngine();
  useSession.setState({ engine: engine as unknown as EngineClient });
  useDocument.getState().load(engine.newest, { preset: "Report", version: 1 });
  useSave.setState({ busy: false, conflict: null });
  useToasts.setState({ toasts: [] });
  noteClashes([], null);
});
afterEach(() => {
  vi.useRealTimers();
  useSession.setState({ engine: null });
});

describe("company at a preset", () => {
  it("is kept from the start to the end, with what is chosen, not too often", async () => {
    const stop = keepCompany(engine as unknown as EngineClient, "Report");
    await vi.advanceTimersByTimeAsync(0);
    expect(seated()).toMatchObject([{ preset: "Report", selected: [] }]);
    for (const ids of [["a"], ["a", "b"], ["b"]]) useDocument.getState().choose(ids);
    await vi.advanceTimersByTimeAsync(1000);
    expect(seated().map(({ selected }) => selected)).toEqual([[], ["b"]]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seated()).toHaveLength(3);
    expect(new Set(seated().map(({ seat }) => seat)).size).toBe(1);
    stop();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(seated()).toHaveLength(3);
    expect(engine.asked.at(-1)?.name).toBe("leave_preset");
  });

  it("goes on where something is chosen that the engine would not take", async () => {
    useDocument.getState().choose(["a", "b".repeat(81), ...Array.from({ length: 60 }, (_, id) => `c${id}`)]);
    const stop = keepCompany(engine as unknown as EngineClient, "Report");
    const [seat] = seated();
    expect(seat?.selected).toHaveLength(50);
    expect(seat?.selected).toEqual(expect.not.arrayContaining(["b".repeat(81)]));
    stop();
  });

  it("shows the others, by what they have chosen, and nobody once it ends", async () => {
    const stop = keepCompany(engine as unknown as EngineClient, "Report");
    await vi.advanceTimersByTimeAsync(0);
    const person = { address: null, visitor: true, edits: true, selected: ["a"] };
    const people = [
      { ...person, id: "me" },
      { ...person, id: "you" },
    ];
    engine.tell({ type: "PRESET_COMPANY", preset: "Report", you: "me", people, more: 2 });
    engine.tell({ type: "PRESET_COMPANY", preset: "Other", you: "me", people: [], more: 0 });
    expect(useCompany.getState().people.map(({ id }) => id)).toEqual(["you"]);
    expect(useCompany.getState().byItem.a?.map(({ id }) => id)).toEqual(["you"]);
    expect(useCompany.getState().more).toBe(2);
    stop();
    expect(useCompany.getState().people).toEqual([]);
  });

  it("learns of a version that was saved while there was no connection", async () => {
    engine.save(workflow("two"));
    const stop = keepCompany(engine as unknown as EngineClient, "Report");
    await vi.advanceTimersByTimeAsync(0);
    expect(nameNow()).toBe("two");
    stop();
  });
});

describe("a version of somebody else", () => {
  it("comes once, and only onto the workflow that it is of", async () => {
    engine.save(workflow("two"));
    await catchUp("Other", { version: 2, author_id: null });
    expect(nameNow()).toBe("one");
    await catchUp("Report", { version: 2, author_id: null });
    await catchUp("Report", { version: 2, author_id: null });
    expect(nameNow()).toBe("two");
    expect(engine.asked.filter(({ name }) => name === "load_preset")).toHaveLength(1);
    expect(texts()).toEqual(["Somebody saved version 2; it is on your canvas now."]);
  });

  it("changes nothing where another workflow was opened while it came", async () => {
    engine.save(workflow("two"));
    const ask = engine.request.bind(engine);
    engine.request = (name, fields) => {
      useDocument.getState().load(workflow("other"), { preset: "Other", version: 1 });
      return ask(name, fields);
    };
    await catchUp("Report", { version: 2, author_id: null });
    expect(useDocument.getState()).toMatchObject({ preset: "Other", version: 1 });
    expect(nameNow()).toBe("other");
  });

  it("waits for one's own that is being saved, which may be the one that is told of", async () => {
    useSave.setState({ busy: true });
    const done = catchUp("Report", { version: 2, author_id: null });
    await vi.advanceTimersByTimeAsync(10);
    useDocument.getState().markSaved(workflow("mine"), { preset: "Report", version: 2 });
    useSave.setState({ busy: false });
    await done;
    expect(engine.asked).toEqual([]);
    expect(texts()).toEqual([]);
  });

  it("leaves a clash to be settled, which the next one does not lose", async () => {
    const set = (value: string) => (now: Workflow) => ({
      ...now,
      nodes: now.nodes.map((node) => ({ ...node, name: value })),
    });
    useDocument.getState().edit(set("mine"));
    engine.save(workflow("theirs"));
    await catchUp("Report", { version: 2, author_id: null });
    expect(useCompany.getState().clashes).toMatchObject([{ mine: "mine", theirs: "theirs" }]);
    engine.save(workflow("theirs", { added: 1 }));
    await catchUp("Report", { version: 3, author_id: null });
    expect(nameNow()).toBe("mine");
    expect(useDocument.getState().history.present.nodes[0]?.config_values).toEqual({ added: 1 });
    expect(useCompany.getState().clashes).toHaveLength(1);
  });

  it("that was deleted can be saved anew", async () => {
    await catchUp("Report", { version: null, author_id: null });
    expect(useDocument.getState().version).toBe(0);
    expect(useDocument.getState().saved).not.toBe(useDocument.getState().history.present);
    expect(texts()[0]).toContain("was deleted meanwhile");
  });

  it("is put together with one's own where a save met it", async () => {
    useDocument
      .getState()
      .edit((now) => ({ ...now, nodes: [...now.nodes, { ...now.nodes[0], id: "b" } as WorkflowNode] }));
    engine.save(workflow("two"));
    useSave.setState({ conflict: { name: "Report", version: 2, author: null, timestamp: null } });
    await settle("merge");
    expect(useSave.getState().conflict).toBeNull();
    expect(useDocument.getState().version).toBe(2);
    expect(nameNow()).toBe("two");
  });
});

it("people are told apart by two signs", () => {
  expect(["Ana Maria", "ben", "0x12Ab…9f00", ""].map(initialsOf)).toEqual(["AM", "BE", "12", "?"]);
});
