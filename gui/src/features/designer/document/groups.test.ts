import { expect, it } from "vitest";
import { copyText, pasteText } from "./clipboard";
import { remove } from "./edits";
import { carried, group, stepsIn, ungroup, withMembers } from "./groups";
import { readWorkflow, type Workflow } from "./workflow";

const node = (id: string, x: number) => ({ id, name: id, module_id: "m", x, y: 100, config_values: {} });
const three: Workflow = { nodes: [node("a", 0), node("b", 300), node("c", 600)], connections: [] };
const grouped = () => {
  const { workflow, id } = group(three, new Set(["a", "b"]));
  return { workflow, id: id ?? "" };
};

it("a group stands around its steps, and a step is in one group only", () => {
  const { workflow, id } = grouped();
  const [frame] = workflow.notes ?? [];
  expect(frame).toMatchObject({ id, members: ["a", "b"], x: -20, width: 560 });
  const again = group(workflow, new Set(["b", "c"])).workflow;
  expect(again.notes?.map((note) => note.members)).toEqual([["a"], ["b", "c"]]);
  expect(group(three, new Set(["nobody"]))).toEqual({ workflow: three, id: null });
});

it("what is done to a group is done to its steps, which stay when it goes", () => {
  const { workflow, id } = grouped();
  expect([...withMembers(workflow, new Set([id]))]).toEqual([id, "a", "b"]);
  expect(ungroup(workflow, new Set(["a"])).notes).toEqual([]);
  expect(ungroup(workflow, new Set([id])).nodes).toHaveLength(3);
  expect(ungroup(workflow, new Set(["c"]))).toBe(workflow);
});

it("a group counts the steps that are there", () => {
  const { workflow } = grouped();
  const [frame] = workflow.notes ?? [];
  if (!frame) throw new Error("there is a group");
  expect(stepsIn(workflow, frame)).toBe(2);
  expect(stepsIn(remove(workflow, new Set(["a"])), frame)).toBe(1);
});

it("a group is copied with its steps, and holds the copies", () => {
  const { workflow, id } = grouped();
  const { workflow: pasted } = pasteText(workflow, copyText(workflow, new Set([id])) ?? "", null);
  const copies = pasted.nodes.slice(3).map((item) => item.id);
  expect(copies).toHaveLength(2);
  expect(pasted.notes?.[1]?.members).toEqual(copies);
  expect(readWorkflow({ ...workflow, notes: [{ members: ["a", 3] }] }).notes?.[0]?.members).toEqual(["a"]);
});

it("a group that is moved takes its steps along, but not those that move by themselves", () => {
  const frame = { id: "g", position: { x: 0, y: 0 }, data: { note: { members: ["a", "b"] } as never } };
  const steps = ["a", "b"].map((id) => ({ id, position: { x: 10, y: 20 }, data: {} }));
  const moves = [
    { id: "g", position: { x: 40, y: 60 } },
    { id: "b", position: { x: 0, y: 0 } },
  ];
  expect(carried(moves, [frame, ...steps])).toEqual([{ id: "a", position: { x: 50, y: 80 } }]);
});
