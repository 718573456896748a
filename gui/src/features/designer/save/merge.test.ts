import { describe, expect, it } from "vitest";
import { readWorkflow, type Workflow } from "../document/workflow";
import { merge } from "./merge";

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
    expect(clashes).toBe(0);
  });

  it("does not take another order of members for a change", () => {
    const turned = {
      ...base,
      nodes: base.nodes.map((node) => Object.fromEntries(Object.entries(node).reverse())),
    };
    const { workflow, clashes } = merge(base, turned as Workflow, change(base, "a", "theirs"));
    expect(names(workflow)).toEqual(["b", "c", "theirs"]);
    expect(clashes).toBe(0);
  });

  it("keeps mine where both changed the same, and says so", () => {
    const { workflow, clashes } = merge(base, change(base, "a", "mine"), change(base, "a", "theirs"));
    expect(names(workflow)).toEqual(["b", "c", "mine"]);
    expect(clashes).toBe(1);
  });

  it("rather keeps a changed step than its deletion, and drops connections that lost an end", () => {
    expect(names(merge(base, without(base, "a"), change(base, "a", "theirs")).workflow)).toContain("theirs");
    expect(names(merge(base, change(base, "a", "mine"), without(base, "a")).workflow)).toContain("mine");
    expect(merge(base, base, without(base, "a")).workflow.connections).toEqual([]);
  });
});
