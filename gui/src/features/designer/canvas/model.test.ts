import { expect, it } from "vitest";
import { boxesOf, toggleCollapsed } from "../document/groups";
import type { Workflow } from "../document/workflow";
import { syncNodes, wiresOf } from "./model";

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
