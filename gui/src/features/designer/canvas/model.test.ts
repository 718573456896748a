import { describe, expect, it } from "vitest";
import { boxesOf, toggleCollapsed } from "../document/groups";
import type { Workflow, WorkflowNode } from "../document/workflow";
import type { Listed } from "../palette/catalog";
import { applyChanges, type CanvasNode, syncNodes, wiresOf } from "./model";

const step = (id: string, x: number) => ({ id, name: id, module_id: "delay", x, y: 0, config_values: {} });
const wire = (source: string, target: string) => ({ id: `${source}${target}`, source, target });
const workflow = (): Workflow => ({
  nodes: ["a", "b", "c", "d"].map((id, place) => step(id, place * 300)),
  connections: [wire("a", "b"), wire("b", "c"), wire("c", "d")],
  notes: [{ id: "g", text: "Middle", x: 280, y: -40, width: 600, height: 200, members: ["b", "c"] }],
});
const none = new Set<string>();
const ends = (now: Workflow) =>
  wiresOf(now, {}, none).map(
    ({ id, source, sourceHandle, target, targetHandle }) =>
      `${id}: ${source}.${sourceHandle} > ${target}.${targetHandle}`,
  );

it("a collapsed group is one box, at which the connections of its steps end", () => {
  const now = toggleCollapsed(workflow(), new Set(["g"]));
  const nodes = syncNodes([], now, none);
  expect(nodes.filter(({ hidden }) => hidden).map(({ id }) => id)).toEqual(["b", "c"]);
  expect(nodes[0]).toMatchObject({ id: "g", width: 220, height: 84, ariaLabel: "Middle" });
  expect(ends(now)).toEqual(["ab: a.success > g.in", "cd: g.out > d.input"]);
});

it("expanded again it is as it was, and steps that were known are kept", () => {
  const shown = syncNodes([], workflow(), none);
  const boxed = syncNodes(shown, toggleCollapsed(workflow(), new Set(["c"])), none);
  const again = syncNodes(boxed, workflow(), none);
  expect(boxed.find(({ id }) => id === "b")?.hidden).toBe(true);
  expect(again.filter(({ hidden }) => hidden)).toEqual([]);
  expect(ends(workflow())).toHaveLength(3);
});

it("several groups are all collapsed first, then all expanded; notes never are", () => {
  const two: Workflow = {
    ...workflow(),
    notes: [
      { id: "g", text: "", x: 0, y: 0, width: 1, height: 1, members: ["a"], collapsed: true },
      { id: "h", text: "", x: 0, y: 0, width: 1, height: 1, members: ["b"] },
      { id: "n", text: "", x: 0, y: 0, width: 1, height: 1 },
    ],
  };
  const all = new Set(["g", "h", "n"]);
  const once = toggleCollapsed(two, all);
  expect([...boxesOf(once).keys()]).toEqual(["a", "b"]);
  expect(boxesOf(toggleCollapsed(once, all)).size).toBe(0);
  expect(toggleCollapsed(two, new Set(["n"]))).toBe(two);
});

describe("the steps of a large workflow", () => {
  const large: Workflow = {
    nodes: Array.from({ length: 151 }, (_, at) => step(`n${at}`, at)),
    connections: [],
  };
  const three = { input_ports: [], output_ports: [{ name: "yes" }, { name: "no" }, { name: "error" }] };
  const known = { delay: { manifest: { ...three, properties: [] } } } as unknown as Record<string, Listed>;
  const heights = (nodes: CanvasNode[]) => new Set(nodes.map(({ measured }) => measured?.height));
  const names = (nodes: CanvasNode[]) =>
    nodes[0]?.handles?.map(({ id, x, y }) => `${id} ${x} ${y.toFixed(1)}`);

  it("have their size and ports before they are drawn, those of a small one have not", () => {
    const nodes = syncNodes([], large, none);
    expect(names(nodes)).toEqual(["input -5 58.9", "success 213 58.9", "error 213 79.7"]);
    expect(heights(nodes)).toEqual(new Set([105]));
    expect(syncNodes([], workflow(), none)[0]).not.toHaveProperty("handles");
  });

  it("get others when their components become known", () => {
    const nodes = syncNodes(syncNodes([], large, none), large, none, known);
    expect(names(nodes)).toHaveLength(4);
    expect(heights(nodes)).toEqual(new Set([126]));
    expect(syncNodes(nodes, large, none, known)).toEqual(nodes);
  });

  it("keep what was measured when they are chosen, moved or renamed", () => {
    const size = { type: "dimensions", id: "n0", dimensions: { width: 220, height: 140 } } as const;
    const drawn = applyChanges([size], syncNodes([], large, none));
    expect(drawn[0]).toMatchObject({ measured: { height: 140 }, handles: undefined });
    expect(drawn[1]?.handles).toHaveLength(3);
    const [first, ...others] = large.nodes as [WorkflowNode, ...WorkflowNode[]];
    const renamed = { ...large, nodes: [{ ...first, name: "New" }, ...others] };
    const [chosen] = syncNodes(drawn, renamed, new Set(["n0"]));
    expect(chosen).toMatchObject({ selected: true, ariaLabel: "New", measured: { height: 140 } });
    expect(chosen?.handles).toBeUndefined();
  });

  it("that were measured while there were fewer are not outlined again", () => {
    const few = { ...large, nodes: large.nodes.slice(0, 3) };
    const size = { type: "dimensions", id: "n0", dimensions: { width: 220, height: 140 } } as const;
    const [first, second] = syncNodes(applyChanges([size], syncNodes([], few, none)), large, none);
    expect(first).toMatchObject({ measured: { height: 140 } });
    expect(first?.handles).toBeUndefined();
    expect(second?.handles).toHaveLength(3);
  });
});
