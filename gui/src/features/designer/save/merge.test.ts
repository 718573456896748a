import { describe, expect, it } from "vitest";
import { readWorkflow, type Workflow } from "../document/workflow";
import { decide, isOpen, merge } from "./merge";

const base = readWorkflow({
  nodes: ["a", "b", "c"].map((id) => ({ id, name: id, module_id: "m", config_values: {} })),
  connections: [{ id: "ab", source: "a", target: "b" }],
});
const change = (workflow: Workflow, id: string, name: string): Workflow => ({
  ...workflow,
  nodes: workflow.nodes.map((node) => (node.id === id ? { ...node, name } : node)),
});
const without = (workflow: Workflow, id: string): Workflow => ({
  ...workflow,
  nodes: workflow.nodes.filter((node) => node.id !== id),
});
const names = ({ nodes }: Workflow) => nodes.map(({ name }) => name).sort();

describe("merging", () => {
  it("takes both persons' changes", () => {
    const { workflow, clashes } = merge(
      base,
      change(base, "a", "mine"),
      without(change(base, "b", "theirs"), "c"),
    );
    expect(names(workflow)).toEqual(["mine", "theirs"]);
    expect(clashes).toEqual([]);
  });

  it("does not take another order of members for a change", () => {
    const turned = {
      ...base,
      nodes: base.nodes.map((node) => Object.fromEntries(Object.entries(node).reverse())),
    };
    const { workflow, clashes } = merge(base, turned as Workflow, change(base, "a", "theirs"));
    expect(names(workflow)).toEqual(["b", "c", "theirs"]);
    expect(clashes).toEqual([]);
  });

  it("keeps mine where both changed the same, and says what and where", () => {
    const { workflow, clashes } = merge(base, change(base, "a", "mine"), change(base, "a", "theirs"));
    expect(names(workflow)).toEqual(["b", "c", "mine"]);
    expect(clashes).toEqual([
      { subject: "nodes", id: "a", name: "mine", path: ["name"], mine: "mine", theirs: "theirs" },
    ]);
  });

  it("takes two settings of one step from two persons, and asks about one that both changed", () => {
    const set = (values: Record<string, unknown>) => ({
      ...base,
      nodes: base.nodes.map((node) => (node.id === "a" ? { ...node, config_values: values } : node)),
    });
    const { workflow, clashes } = merge(
      set({ url: "old", way: "GET", gone: 1 }),
      set({ url: "mine", way: "GET", gone: 1, added: true }),
      set({ url: "theirs", way: "POST" }),
    );
    expect(workflow.nodes.find(({ id }) => id === "a")?.config_values).toEqual({
      url: "mine",
      way: "POST",
      added: true,
    });
    expect(clashes.map(({ path, mine, theirs }) => [path.join("/"), mine, theirs])).toEqual([
      ["config_values/url", "mine", "theirs"],
    ]);
  });

  it("takes what the other changed of the workflow's own settings", () => {
    const { workflow, clashes } = merge(
      { ...base, global_loop_config: { count: 1 }, initial_payload: 1 },
      { ...base, global_loop_config: { count: 1 }, initial_payload: 2 },
      { ...base, global_loop_config: { count: 5 }, initial_payload: 1 },
    );
    expect(workflow).toMatchObject({ global_loop_config: { count: 5 }, initial_payload: 2 });
    expect(clashes).toEqual([]);
  });

  it("asks nobody where a step stands", () => {
    const at = (x: number) => ({ ...base, nodes: base.nodes.map((node) => ({ ...node, x })) });
    const { workflow, clashes } = merge(base, at(7), at(9));
    expect(workflow.nodes.map(({ x }) => x)).toEqual([7, 7, 7]);
    expect(clashes).toEqual([]);
  });

  it("draws one connection where both drew the same", () => {
    const drawn = (id: string) => ({
      ...base,
      connections: [...base.connections, { id, source: "b", target: "c" }],
    });
    const { workflow } = merge(base, drawn("mine"), drawn("theirs"));
    expect(workflow.connections.map(({ id }) => id)).toEqual(["ab", "theirs"]);
  });

  it("keeps a deleted step that the other has connected meanwhile, and asks", () => {
    const connected = { ...base, connections: [...base.connections, { id: "bc", source: "b", target: "c" }] };
    const { workflow, clashes } = merge(base, without(base, "c"), connected);
    expect(names(workflow)).toEqual(["a", "b", "c"]);
    expect(workflow.connections.map(({ id }) => id)).toEqual(["ab", "bc"]);
    expect(clashes).toMatchObject([{ subject: "nodes", id: "c", path: [], mine: undefined }]);
  });

  it("settles a clash as one of the two had it", () => {
    const { workflow, clashes } = merge(base, change(base, "a", "mine"), without(base, "a"));
    const [clash] = clashes;
    if (!clash) throw new Error("there is a clash");
    expect(isOpen(workflow, clash)).toBe(true);
    expect(names(decide(workflow, clash, "mine"))).toEqual(["b", "c", "mine"]);
    const taken = decide(workflow, clash, "theirs");
    expect(names(taken)).toEqual(["b", "c"]);
    expect(isOpen(taken, clash)).toBe(false);
    const both = merge(base, change(base, "b", "mine"), change(base, "b", "theirs"));
    const [named] = both.clashes;
    if (!named) throw new Error("there is a clash");
    expect(names(decide(both.workflow, named, "theirs"))).toEqual(["a", "c", "theirs"]);
    expect(isOpen(change(both.workflow, "b", "a third"), named)).toBe(false);
  });

  it("keeps the loop and its inside where one deleted them and the other worked in them", () => {
    const step = (id: string, more = {}) => ({ id, name: id, module_id: "m", config_values: {}, ...more });
    const inside = { parent_id: "loop" };
    const wire = { id: "in-in2", source: "in", target: "in2" };
    const loops = readWorkflow({
      nodes: [step("a"), step("loop"), step("in", inside), step("in2", inside)],
      connections: [wire, { id: "al", source: "a", target: "loop" }],
    });
    const gone = readWorkflow({ nodes: [step("a")], connections: [] });
    for (const id of ["loop", "in"]) {
      for (const [one, other] of [
        [change(loops, id, "new"), gone],
        [gone, change(loops, id, "new")],
      ] as const) {
        const { workflow, clashes } = merge(loops, one, other);
        expect(workflow.nodes.map((node) => node.id).sort()).toEqual(["a", "in", "in2", "loop"]);
        expect(workflow.connections.map((found) => found.id).sort()).toEqual(["al", "in-in2"]);
        expect(clashes.map((clash) => clash.id).sort()).toEqual(id === "in" ? ["in", "loop"] : ["loop"]);
        const loop = clashes.find((clash) => clash.id === "loop");
        if (!loop) throw new Error("one is asked about the loop");
        const side = one === gone ? "mine" : "theirs";
        expect(decide(workflow, loop, side)).toMatchObject({ nodes: [{ id: "a" }], connections: [] });
      }
    }
  });

  it("leaves an inside without the loop that the other took away around it, and what they deleted in one", () => {
    const step = (id: string, more = {}) => ({ id, name: id, module_id: "m", config_values: {}, ...more });
    const inside = { parent_id: "loop" };
    const nodes = [step("loop"), step("in", inside), step("in2", inside)];
    const loops = readWorkflow({ nodes, connections: [] });
    const flat = readWorkflow({ nodes: [step("in"), step("in2")], connections: [] });
    const { workflow, clashes } = merge(loops, change(loops, "in", "new"), flat);
    expect(names(workflow)).toEqual(["in2", "new"]);
    expect(clashes).toEqual([]);
    expect(names(merge(loops, change(loops, "in", "new"), without(loops, "in2")).workflow)).toEqual([
      "loop",
      "new",
    ]);
  });

  it("keeps what was changed since, where the deletion is not taken", () => {
    const { workflow, clashes } = merge(base, change(base, "a", "mine"), without(base, "a"));
    const [clash] = clashes;
    if (!clash) throw new Error("there is a clash");
    expect(workflow.connections.map(({ id }) => id)).toEqual(["ab"]);
    expect(names(decide(change(workflow, "a", "later"), clash, "mine"))).toEqual(["b", "c", "later"]);
  });

  it("rather keeps a changed step than its deletion, and drops connections that lost an end", () => {
    expect(names(merge(base, without(base, "a"), change(base, "a", "theirs")).workflow)).toContain("theirs");
    expect(names(merge(base, change(base, "a", "mine"), without(base, "a")).workflow)).toContain("mine");
    expect(merge(base, base, without(base, "a")).workflow.connections).toEqual([]);
  });
});
