// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { copyText, pasteText } from "./clipboard";
import { dropDraft, keepDraft, readDraft } from "./draft";
import * as edits from "./edits";
import { record, redo, startHistory, undo } from "./history";
import { align, NODE_WIDTH, tidy } from "./layout";
import { useDocument, workflowNow } from "./store";
import { readWorkflow, type Workflow } from "./workflow";

const node = (id: string, x = 0, y = 0) => ({ id, name: id, module_id: "delay", x, y, config_values: {} });
const wire = (id: string, source: string, target: string) => ({
  id,
  source,
  target,
  source_port_name: "success",
  target_port_name: "input",
});
const chain = (): Workflow => ({
  nodes: [node("a"), node("b"), node("c")],
  connections: [wire("ab", "a", "b"), wire("bc", "b", "c")],
});

describe("reading a workflow", () => {
  it("keeps what it does not know and brings old names to today's", () => {
    const read = readWorkflow({
      nodes: [
        { id: "a", module_id: "m", colour: "red" },
        { id: "b", module_id: "m" },
      ],
      connections: [{ from: "a", to: "b", sourceHandle: "yes", animated: true }],
      global_loop_config: { isEnabled: false },
    });
    expect(read.global_loop_config).toEqual({ isEnabled: false });
    expect(read.nodes[0]).toMatchObject({ colour: "red", name: "m", config_values: {} });
    const [made] = read.connections;
    expect(made).toMatchObject({ source: "a", target: "b", source_port_name: "yes", animated: true });
    expect(made?.id).toMatch(/^edge-/);
    expect(made).not.toHaveProperty("from");
    expect(made).not.toHaveProperty("target_port_name");
  });

  it("refuses what is no workflow", () => {
    for (const given of [null, 3, [], {}, { nodes: "x" }])
      expect(() => readWorkflow(given)).toThrow(/no workflow/);
  });
});

describe("edits", () => {
  it("never touch the workflow they are given", () => {
    const before = chain();
    const copy = structuredClone(before);
    edits.remove(before, new Set(["b"]));
    edits.setConfig(before, "a", "seconds", 3);
    edits.move(before, new Map([["a", { x: 5, y: 5 }]]));
    edits.toggleDisabled(before, new Set(["a"]));
    expect(before).toEqual(copy);
  });

  it("remove a node with its connections", () => {
    const after = edits.remove(chain(), new Set(["b"]));
    expect(after.nodes.map(({ id }) => id)).toEqual(["a", "c"]);
    expect(after.connections).toEqual([]);
  });

  it("connect once, and never in a circle", () => {
    const again = { source: "a", target: "b", sourcePort: "success", targetPort: "input" };
    const workflow = chain();
    expect(edits.connect(workflow, again)).toBe(workflow);
    expect(edits.connect(workflow, { ...again, source: "c", target: "a" })).toBe(workflow);
    expect(edits.connect(workflow, { ...again, target: "c" }).connections).toHaveLength(3);
  });

  it("insert a node into a connection and keep both ports", () => {
    const workflow = edits.withNode(chain(), node("d"));
    const after = edits.insertOnWire(workflow, "ab", "d", { input: "input", output: "true" });
    const ends = after.connections.map(
      ({ source, target, source_port_name }) => `${source}.${source_port_name}>${target}`,
    );
    expect(ends).toEqual(["b.success>c", "a.success>d", "d.true>b"]);
  });

  it("do not insert where a circle would come of it", () => {
    const workflow = chain();
    expect(edits.insertOnWire(workflow, "ab", "c", { input: "input", output: "success" })).toBe(workflow);
  });

  it("disable all, or enable all where all are disabled", () => {
    const once = edits.toggleDisabled(
      edits.changeNode(chain(), "a", { disabled: true }),
      new Set(["a", "b"]),
    );
    expect(once.nodes.map(({ disabled }) => disabled)).toEqual([true, true, undefined]);
    expect(edits.toggleDisabled(once, new Set(["a", "b"])).nodes[0]?.disabled).toBe(false);
  });

  it("find free names", () => {
    const workflow = edits.withNode(chain(), { ...node("x"), name: "Delay" });
    expect(edits.freeName(workflow, "Delay")).toBe("Delay 2");
    expect(edits.freeName(workflow, "Other")).toBe("Other");
  });
});

describe("copying", () => {
  it("pastes with new ids, free names and the inner connections only", () => {
    const text = copyText(chain(), new Set(["a", "b"])) ?? "";
    const { workflow, ids } = pasteText(chain(), text, { x: 300, y: 301 });
    expect(workflow.nodes).toHaveLength(5);
    expect(ids.size).toBe(2);
    const [first, second] = workflow.nodes.slice(3);
    expect(first).toMatchObject({ name: "a 2", x: 300, y: 300 });
    expect(workflow.connections.at(-1)).toMatchObject({
      source: first?.id,
      target: second?.id,
      source_port_name: "success",
    });
    expect(workflow.connections).toHaveLength(3);
  });

  it("says nothing where nothing is chosen", () => {
    expect(copyText(chain(), new Set(["ab"]))).toBeNull();
  });
});

describe("layout", () => {
  it("puts each step right of the one before it", () => {
    const { nodes } = tidy(chain(), new Set());
    expect(nodes[1]?.x).toBeGreaterThanOrEqual((nodes[0]?.x ?? 0) + NODE_WIDTH);
    expect(nodes[2]?.x).toBeGreaterThanOrEqual((nodes[1]?.x ?? 0) + NODE_WIDTH);
    expect(nodes.every(({ x, y }) => x % edits.GRID === 0 && y % edits.GRID === 0)).toBe(true);
  });

  it("moves only what is chosen", () => {
    const workflow = chain();
    expect(tidy(workflow, new Set(["a", "b"])).nodes[2]).toBe(workflow.nodes[2]);
  });

  it("aligns and spaces", () => {
    const workflow = { ...chain(), nodes: [node("a", 10, 5), node("b", 40, 90), node("c", 1000, 7)] };
    const all = new Set(["a", "b", "c"]);
    expect(align(workflow, all, "left").nodes.map(({ x }) => x)).toEqual([10, 10, 10]);
    expect(align(workflow, all, "top").nodes.map(({ y }) => y)).toEqual([5, 5, 5]);
    expect(align(workflow, all, "across").nodes.map(({ x }) => x)).toEqual([10, 505, 1000]);
    expect(align(workflow, new Set(["a"]), "left")).toBe(workflow);
  });
});

describe("history", () => {
  it("takes changes of one kind in quick succession together", () => {
    let history = startHistory("a");
    history = record(history, "ab", "typing", 0);
    history = record(history, "abc", "typing", 500);
    history = record(history, "abcd", "typing", 2000);
    history = record(history, "x", null, 2001);
    expect(history.past).toEqual(["a", "abc", "abcd"]);
    history = undo(undo(history));
    expect(history.present).toBe("abc");
    expect(redo(history).present).toBe("abcd");
    expect(record(history, "new", null, 3000).future).toEqual([]);
  });

  it("does not grow without end", () => {
    let history = startHistory(0);
    for (let value = 1; value < 1000; value++) history = record(history, value, null, value);
    expect(history.past.length).toBe(200);
  });
});

describe("the document", () => {
  beforeEach(() => useDocument.getState().load(chain(), { preset: "p", version: 3 }));

  it("undoes, and forgets what is no longer there", () => {
    const { edit, choose, openNode } = useDocument.getState();
    edit((workflow) => edits.withNode(workflow, node("d")));
    choose(["d", "a"]);
    openNode("d");
    useDocument.getState().undo();
    expect(workflowNow().nodes).toHaveLength(3);
    expect([...useDocument.getState().chosen]).toEqual(["a"]);
    expect(useDocument.getState().open).toBeNull();
    useDocument.getState().redo();
    expect(workflowNow().nodes).toHaveLength(4);
  });

  it("knows whether it is saved, also after undo", () => {
    const isChanged = () => workflowNow() !== useDocument.getState().saved;
    expect(isChanged()).toBe(false);
    useDocument.getState().edit((workflow) => edits.setConfig(workflow, "a", "seconds", 1));
    expect(isChanged()).toBe(true);
    useDocument.getState().undo();
    expect(isChanged()).toBe(false);
  });

  it("records nothing where nothing changed", () => {
    useDocument.getState().edit((workflow) => edits.setConfig(workflow, "nobody", "x", 1));
    expect(useDocument.getState().history.past).toHaveLength(0);
  });
});

describe("drafts", () => {
  const draft = (changed: boolean) => ({ version: 1, workflow: chain(), changed, jobId: null });
  beforeEach(() => localStorage.clear());

  it("are kept for each engine and preset", () => {
    keepDraft("e", "p", draft(true));
    expect(readDraft("e", "p")).toMatchObject({ changed: true, workflow: chain() });
    expect(readDraft("e", null)).toBeNull();
    expect(readDraft("other", "p")).toBeNull();
    dropDraft("e", "p");
    expect(readDraft("e", "p")).toBeNull();
  });

  it("that hold changes outlive many others", () => {
    keepDraft("e", "changed", draft(true));
    for (let count = 0; count < 40; count++) keepDraft("e", `p${count}`, draft(false));
    expect(localStorage.length).toBe(20);
    expect(readDraft("e", "changed")).not.toBeNull();
  });

  it("that are damaged are none", () => {
    localStorage.setItem("flowork.designer.draft/e/p", '{"workflow": {}}');
    expect(readDraft("e", "p")).toBeNull();
    localStorage.setItem("flowork.designer.draft/e/p", "{");
    expect(readDraft("e", "p")).toBeNull();
  });
});
