import { beforeEach, describe, expect, it } from "vitest";
import { useDocument } from "../document/store";
import { NO_WORKFLOW, readWorkflow, type Workflow } from "../document/workflow";
import { adopt } from "./adopt";

const base = readWorkflow({
  nodes: ["a", "b"].map((id) => ({ id, name: id, module_id: "m", config_values: {} })),
  connections: [],
});
const named = (workflow: Workflow, id: string, name: string): Workflow => ({
  ...workflow,
  nodes: workflow.nodes.map((node) => (node.id === id ? { ...node, name } : node)),
});
const names = () => useDocument.getState().history.present.nodes.map(({ name }) => name);
const fresh = (workflow: Workflow): Workflow => readWorkflow(JSON.parse(JSON.stringify(workflow)));
const version = (workflow: Workflow, number: number) => ({
  workflow: fresh(workflow),
  version: number,
  name: "Report",
});
const unasked = () => Promise.reject(new Error("the page knows what the edit started from"));

describe("a version that somebody else saved", () => {
  beforeEach(() => useDocument.getState().load(base, { preset: "Report", version: 1 }));

  it("is shown at once where nothing was changed here", async () => {
    expect(await adopt(version(named(base, "a", "theirs"), 2), unasked)).toEqual([]);
    const { saved, history, version: now } = useDocument.getState();
    expect(names()).toEqual(["theirs", "b"]);
    expect(history.present).toBe(saved);
    expect(now).toBe(2);
  });

  it("goes under one's own changes, and undo takes back one's own only", async () => {
    useDocument.getState().edit((workflow) => named(workflow, "b", "mine"));
    expect(await adopt(version(named(base, "a", "theirs"), 2), unasked)).toEqual([]);
    expect(names()).toEqual(["theirs", "mine"]);
    useDocument.getState().undo();
    expect(names()).toEqual(["theirs", "b"]);
    expect(useDocument.getState().history.present).toBe(useDocument.getState().saved);
    useDocument.getState().redo();
    expect(names()).toEqual(["theirs", "mine"]);
  });

  it("leaves what both changed as it is here, and tells of it", async () => {
    useDocument.getState().edit((workflow) => named(workflow, "a", "mine"));
    const clashes = await adopt(version(named(base, "a", "theirs"), 2), unasked);
    expect(clashes).toMatchObject([{ id: "a", mine: "mine", theirs: "theirs" }]);
    expect(names()).toEqual(["mine", "b"]);
  });

  it("lets go of a chosen and opened step that is no longer there", async () => {
    useDocument.getState().choose(["a", "b"]);
    useDocument.getState().openNode("b");
    await adopt(version({ ...base, nodes: base.nodes.slice(0, 1) }, 2), unasked);
    expect([...useDocument.getState().chosen]).toEqual(["a"]);
    expect(useDocument.getState().open).toBeNull();
  });

  it("is compared with what a draft started from, after a reload", async () => {
    const draft = fresh(named(base, "b", "mine"));
    useDocument.getState().load(draft, { preset: "Report", version: 1 }, NO_WORKFLOW);
    const asked: number[] = [];
    await adopt(version(named(base, "a", "theirs"), 2), async (number) => {
      asked.push(number);
      return version(base, number);
    });
    expect(asked).toEqual([1]);
    expect(names()).toEqual(["theirs", "mine"]);
  });

  it("changes nothing where another workflow was opened meanwhile", async () => {
    useDocument.getState().load(fresh(base), { preset: "Report", version: 1 }, NO_WORKFLOW);
    await adopt(version(named(base, "a", "theirs"), 2), async (number) => {
      useDocument.getState().load(base, { preset: "Other", version: 4 });
      return version(base, number);
    });
    expect(useDocument.getState()).toMatchObject({ preset: "Other", version: 4 });
    expect(names()).toEqual(["a", "b"]);
  });
});
