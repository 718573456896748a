import { expect, it } from "vitest";
import type { Workflow } from "../document/workflow";
import { unionOf } from "./diff";

const node = (id: string, more = {}) => ({
  id,
  name: id,
  module_id: "delay",
  x: 0,
  y: 0,
  config_values: {},
  ...more,
});

it("shows what came, went and changed; a step that only moved is the same", () => {
  const before: Workflow = {
    nodes: [node("a"), node("b"), node("c")],
    connections: [{ id: "ab", source: "a", target: "b" }],
  };
  const after: Workflow = {
    nodes: [node("a", { x: 40 }), node("b", { config_values: { seconds: 1 } }), node("d")],
    connections: [
      { id: "ab", source: "a", target: "b" },
      { id: "bd", source: "b", target: "d" },
    ],
  };
  const { nodes, wires } = unionOf(before, after);
  expect(nodes.map(({ node: { id }, change }) => `${id} ${change}`)).toEqual([
    "a same",
    "b changed",
    "d added",
    "c removed",
  ]);
  expect(wires.map(({ wire: { id }, change }) => `${id} ${change}`)).toEqual(["ab same", "bd added"]);
});
